"""What tests of the engine share."""

import os
import signal
import uuid
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need a GPU are skipped where there is none."""
    marked = [item for item in items if item.get_closest_marker("cuda")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="PyTorch finds no CUDA GPU on this machine"))


@pytest.fixture(autouse=True)
def _own_models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the models of whoever runs it, nor what was exported and measured before."""
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path_factory.getbasetemp() / "no-models"))
    monkeypatch.setenv("HAZARD_CACHE", str(tmp_path_factory.getbasetemp() / f"cache-{uuid.uuid4().hex}"))


@pytest.fixture(autouse=True)
def _own_signals():
    """The program takes signals for itself; tests that run it in their own process give them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def hazard_data() -> Path:
    """Folder of real scenes; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("HAZARD_DATA", ""))
    if not os.environ.get("HAZARD_DATA") or not folder.is_dir():
        pytest.skip("HAZARD_DATA does not name a folder of real scenes")
    return folder


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of one megabyte; skipped where none can be mounted."""
    import subprocess

    place = tmp_path / "small disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
