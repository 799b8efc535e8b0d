"""The engine's set-up: whatever happens, the engine in place works or is not there, and what failed is said."""

import hashlib
import json
import subprocess

import pytest
from setup_toys import PROOF, offline_plan, write_bundle, write_wheel


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    write_wheel(folder)
    return write_bundle(folder)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "profile é ü" / "hazard mapper"


@pytest.fixture
def setup(root):
    from hazard_mapper.hazard_plugin.engine_setup import EngineSetup

    return EngineSetup(str(root), proof=PROOF)


def never():
    return False


def silent(step, share, text):
    pass


def test_it_is_installed_into_an_environment_of_its_own(setup, root, wheels):
    steps = []
    proof = setup.install(offline_plan(root, wheels), lambda step, share, text: steps.append((step, share)), never)
    assert proof["ok"] and proof["path"].startswith(str(root / "engine"))
    shares = [share for _, share in steps if share >= 0]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert [path.name for path in root.iterdir() if path.name != "engine.lock"] == ["engine", "engine.json"]
    state = json.loads((root / "engine.json").read_text())
    assert state["state"] == "ready" and state["installed"]["build"] == "cpu"
    listed = subprocess.run([setup.python, "-m", "pip", "freeze", "--local", "--all"], capture_output=True, text=True)
    assert "tiny_engine==1.0" in listed.stdout
    lines = sorted(line for line in listed.stdout.splitlines() if "==" in line)
    assert state["installed"]["sha256"] == hashlib.sha256("\n".join(lines).encode()).hexdigest()
