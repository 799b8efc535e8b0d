"""Damaged and hostile model cards, with checksums that are true or not."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.batches import Ended, Outcome, Topic, clear, quiet_torch, run_command, unfinished
from tests.fuzz.values import VALUES, as_json, pick, seal, tree, write_toy
from tests.fuzz.vectors import write_bases as write_scene

ENCODERS = (
    "resnet152", "mit_b5", "timm-efficientnet-l2", "tu-vit_giant_patch14_clip_224", "tu-convnext_xxlarge", "senet154",
    "vgg19_bn", "se_resnext101_32x4d", "tu-eva_giant_patch14_224", "resnext101_32x48d", "none", "tu-", "../x",
    "tu-regnety_2560", "tu-resnetv2_152x4_bit",
)  # fmt: skip
BY_KEY: dict[str, tuple[Any, ...]] = {
    "name": ("../toy", "con", "unet", "toy2", "A" * 65, "tоy"),
    "encoder": ENCODERS,
    "decoder_channels": ([10**6] * 5, [4096] * 5, [8, 8, 8], [8] * 6, [1, 1, 1, 1, 1], [8, 8, 8, 8, -8], [0] * 5),
    "detail_channels": (10**9, 256, 0, 4096),
    "surface_classes": (10**9, 4096, 2, 0),
    "characteristics": (10**9, 256, 1),
    "window_multiple": (1, 7, 31, 33, 64, 1024, 10**9),
    "hazards": (["flood"] * 3, [f"h{i}" for i in range(64)], ["a/b"], ["flood", "lava"], ["f" * 65]),
    "thresholds": ({"flood": 0}, {"flood": 1}, {"flood": "0.5"}, {"flood": float("nan")}, {"lava": 0.5}),
    "display_thresholds": ({"lava": 0.5}, {"flood": float("inf")}, {"flood": 0.2}),
    "scales": ({"flood": [16] * 4}, {"flood": [10**9]}, {"flood": [1, 2]}, {"flood": []}),
    "planes": (["x"], ["blue"] * 256, []),
    "parent": ("../unet", "unet", "toy"),
    "parent_sha256": ("0" * 64, "Z" * 64),
    "adapted_for": ("flood", "lava"),
    "default_for": (["flood"], ["lava"] * 70),
    "scores": ([{"set": "<b>x</b>", "hazard": 5, "iou": float("nan")}], [{}] * 20_000, [{"a": {}}] * 3),
    "training": ({"a": [[[[]]]] * 50}, {"when": "2025"}),
    "title": ("<img src=http://127.0.0.1/x>", "t" * 100_000, "a\nb"),
    "gsd_min_m": (1e-300, 1e300),
    "score": (2, -0.1, 0.5),
}
ROUTES = ("import", "import", "import zip", "segment", "segment", "list", "segment installed")


def prepare(folder: Path) -> Path:
    """A sound model, and a scene to use it on."""
    write_scene(folder)
    write_toy(folder / "toy")
    return folder


@contextlib.contextmanager
def begin(bases: Path, folder: Path) -> Iterator[None]:
    """The user's models are those of the case."""
    os.environ["HAZARD_MODELS"] = str(folder / "models")
    quiet_torch()
    import engine.segment  # noqa: F401  so that the first case does not wait for it

    yield


def damage(card: bytes, generator: np.random.Generator) -> bytes:
    """Another card: values changed, left out or added, or its text damaged."""
    kind = generator.random()
    if kind < 0.15:
        text = bytearray(card)
        at = int(generator.integers(0, len(text)))
        part = pick(generator, (b"", b"[" * 50_000, b'{"a":' * 3000, b"\xff\xfe", b"\0", b"1" * 5000, b'"', b"," * 9))
        text[at : at + int(generator.integers(0, 40))] = part
        return bytes(text)
    if kind < 0.2:
        return pick(
            generator, (b"", b"null", b"[]", b"5", b'"x"', b"{}", b" " * 1_000_001, b'{"name":1}', b"\xef\xbb\xbf{}")
        )
    values = json.loads(card)
    for _ in range(int(generator.integers(1, 4))):
        key = pick(generator, list(values) or ["name"])
        how = generator.random()
        if how < 0.1:
            values.pop(key, None)
        elif how < 0.15:
            values[pick(generator, ("script", "__class__", "a" * 300, "", "\ud800"))] = pick(generator, VALUES)
        else:
            values[key] = pick(generator, BY_KEY.get(key, VALUES) if generator.random() < 0.6 else VALUES)
    return as_json(values)


def use(route: str, model: Path, bases: Path, folder: Path) -> Ended:
    """Give a model to a command."""
    out = folder / "out"
    if route == "list":
        shutil.copytree(model, folder / "models" / "mine", dirs_exist_ok=True)
        return run_command(["models", "--json"])
    if route == "import":
        return run_command(["import-model", "--path", str(model), "--json"])
    if route == "import zip":
        packed = folder / "model.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(model.iterdir()):
                archive.write(path, f"toy/{path.name}")
        return run_command(["import-model", "--path", str(packed), "--json"])
    if route == "segment installed":
        shutil.copytree(model, folder / "models" / "toy", dirs_exist_ok=True)
        model = Path("toy")
    scene = str(bases / "scene.tif")
    return run_command(["segment", "--raster", scene, "--hazard", "flood", "--mask", str(out / "m.tif"),
                        "--model", str(model), "--device", "cpu", "--json"])  # fmt: skip


def judge(number: int, route: str, bases: Path, folder: Path, base: str) -> Outcome:
    """Use the model in ``folder / "toy"`` and look at what is there afterwards."""
    out, models = folder / "out", folder / "models"
    clear(out)
    clear(models)
    before = tree(bases)
    ended = use(route, folder / "toy", bases, folder)
    fault = ended.fault()
    installed = [path.name for path in models.iterdir()] if models.is_dir() else []
    if not fault and (unfinished(out) or unfinished(models)):
        fault = f"files left behind: {unfinished(out) + unfinished(models)}"
    elif not fault and ended.code and (any(out.iterdir()) or (route.startswith("import") and installed)):
        fault = "an output of a failure"
    elif not fault and tree(bases) != before:
        fault = "a file of the user was changed"
    elif not fault and route == "list" and ended.code:
        fault = "one bad model hides all others"
    if not fault:
        shutil.rmtree(folder / "toy")
    return Outcome(number, base, route, ended.code, ended.seconds, fault, ended.said)


def run_case(number: int, bases: Path, folder: Path, state: Any) -> Outcome:
    """Damage one card and use the model."""
    generator = np.random.default_rng(number + 2_000_000)
    model = folder / "toy"
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(bases / "toy", model)
    (model / "card.json").write_bytes(damage((model / "card.json").read_bytes(), generator))
    if generator.random() < 0.9:
        seal(model)
    elif generator.random() < 0.5:
        sums = pick(
            generator, (b"", b"\xff" * 100, b"x" * 20_000, b"0" * 64 + b"  card.json\n", b"0" * 64 + b"  ../x\n")
        )
        (model / "SHA256SUMS").write_bytes(sums)
    return judge(number, pick(generator, ROUTES), bases, folder, "card.json")


TOPIC = Topic("cards", 600, prepare, begin, run_case)
