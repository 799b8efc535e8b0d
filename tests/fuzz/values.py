"""Values that hurt, for fields of messages, cards and headers, and a small model to damage."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]

DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 0.5, 1e308, -1e308, 1e-320, float("nan"), float("inf"), float("-inf"), 10**400,
    -(10**400), 2**31, 2**63, 2**64, 4_000_000_001, "", " ", "x", "a\0b", "\ud800", "é洪 ", "a" * 5000, "a\nb\rc\tb",
    "../../x", "..", "/", ".", "/dev/null", "/dev/zero", "/dev/stdin", "/proc/self/mem", "/proc/x.tif", "/vsistdin/",
    "/vsimem/x.tif", "/vsizip//dev/zero", "<VRTDataset/>", "nan", "1e999", "{}", "%s%n{0}", "-", "--help", "C:\\x.tif",
    "\\\\host\\share\\x.tif", "file:///etc/hostname", "flood", "unet", "cpu", "cuda:99", "cuda:-1", "2025-13-45",
    "9999-12-31", "0000-00-00", [], {}, [[]], [None], [{}], ["x"] * 1000, [1e308] * 4, [0, 0, 0, 0], [1, 2, "3", 4],
    [float("nan")] * 4, [10**400] * 4, ["red", "red"], ["red", "-", "nir"], {"a": {}}, {"flood": 0.5}, DEEP,
)  # fmt: skip

TOY = """
import sys
from engine.cards import ModelCard
from engine.model import HazardNet, save_model
from engine.planes import PLANES
card = ModelCard(name="toy", title="Toy", architecture="unet", encoder="tu-mobilenetv3_small_050", hazards=("flood",),
                 thresholds={"flood": 0.5}, planes=PLANES, decoder_channels=(8, 8, 8, 8, 8), detail_channels=4)
save_model(HazardNet(card), card, sys.argv[1])
"""


def write_toy(folder: Path) -> Path:
    """A whole small model, made in a process of its own: this one stays free of torch, so that it can fork."""
    subprocess.run([sys.executable, "-c", TOY, str(folder)], cwd=ROOT, check=True)
    return folder


def pick(generator: np.random.Generator, choices: Any) -> Any:
    """One of several things."""
    return choices[int(generator.integers(0, len(choices)))]


def seal(folder: Path) -> None:
    """Make the checksums of a model true."""
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("card.json", "weights.safetensors")
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


def as_json(value: Any) -> bytes:
    """Value as JSON, also what JSON does not know."""
    return json.dumps(value).encode("ascii", "replace")


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file under a folder: its size and hash."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
