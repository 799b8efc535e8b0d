"""Damaged and hostile weights: safetensors files whose header, sizes or numbers are not what they should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.batches import Outcome, Topic, run_command, unfinished
from tests.fuzz.cards import begin, judge, prepare
from tests.fuzz.values import VALUES, as_json, pick, seal

TYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "U8", "BOOL", "F8_E5M2", "C64", "", "x", "f32", "F4")
SHAPES: tuple[Any, ...] = (
    [], [0], [1], [2**62, 4], [2**40], [-1], [10**400], [1] * 100, [0.5], ["1"], None, [2**32, 2**32], [1, 0, 5],
    [True],
)  # fmt: skip
LENGTHS = (0, 1, 7, 8, 2**16, 2**31, 2**32, 2**63, 2**64 - 1, 10_000_001, 100_000_001)
ROUTES = ("import", "import", "import zip", "segment", "segment", "segment installed", "adopt", "list")


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and tensors of a safetensors file."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def join(header: bytes, tensors: bytes, length: int | None = None) -> bytes:
    """A safetensors file, also one that lies about its header's length."""
    return (len(header) if length is None else length).to_bytes(8, "little") + header + tensors


def damage(content: bytes, generator: np.random.Generator) -> bytes:
    """Another file of weights."""
    header, tensors = split(content)
    kind = int(generator.integers(0, 12))
    names = [name for name in header if name != "__metadata__"]
    if kind == 0:
        return content[: int(generator.integers(0, len(content)))]
    if kind == 1:
        return join(as_json(header), tensors, pick(generator, LENGTHS))
    if kind == 2:
        return join(
            pick(generator, (b"", b"{", b"[]", b"null", b"{}", b"[" * 60_000, b'{"a":' * 5000, b"\xff" * 99)), tensors
        )
    if kind == 3:
        return join(b" " * pick(generator, (11_000_000, 500)) + as_json(header), tensors)
    if kind == 4:  # numbers that are none, or too large, where the weights are
        data = bytearray(tensors)
        for _ in range(int(generator.integers(1, 50))):
            at = int(generator.integers(0, len(data) // 2)) * 2
            data[at : at + 2] = pick(
                generator, (b"\x00\x7e", b"\x00\x7c", b"\x00\xfc", b"\xff\x7b", b"\xff\xff", b"\x00\x00")
            )
        return join(as_json(header), bytes(data))
    if kind == 5:
        data = bytearray(content)
        for _ in range(int(generator.integers(1, 40))):
            data[int(generator.integers(0, min(len(data), 20_000)))] = int(generator.integers(0, 256))
        return bytes(data)
    if kind == 6:
        return pick(
            generator,
            (b"", b"PK\x03\x04" + content, b"\x80\x04." + content, b"\x93NUMPY", b"\x89HDF\r\n\x1a\n", b"x" * 9),
        )
    for _ in range(int(generator.integers(1, 4))):
        name = pick(generator, names)
        how = int(generator.integers(0, 8))
        if name not in header:
            continue
        entry = header[name]
        if how == 0:
            entry["dtype"] = pick(generator, TYPES)
        elif how == 1:
            entry["shape"] = pick(generator, SHAPES)
        elif how == 2:
            entry["data_offsets"] = pick(
                generator,
                (
                    [0, 0],
                    [0, len(tensors)],
                    [5, 1],
                    [-1, 3],
                    [0, 2**63],
                    [len(tensors), len(tensors) + 2],
                    [0],
                    None,
                    [0, 1e9],
                ),
            )
        elif how == 3:
            header[name] = pick(generator, VALUES)
        elif how == 4:
            header[pick(generator, ("x", "", "../x", "a" * 5000, "\ud800", "trunk"))] = header.pop(name)
        elif how == 5:
            del header[name]
        elif how == 6:
            header["__metadata__"] = pick(generator, VALUES)
        else:
            entry["shape"] = [*reversed(entry["shape"])]
    if generator.random() < 0.1:
        header.update({f"x{i}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(25_000)})
    return join(as_json(header), tensors)


def run_case(number: int, bases: Path, folder: Path, state: Any) -> Outcome:
    """Damage weights and use the model."""
    generator = np.random.default_rng(number + 3_000_000)
    model = folder / "toy"
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(bases / "toy", model)
    (model / "weights.safetensors").write_bytes(damage((model / "weights.safetensors").read_bytes(), generator))
    seal(model)
    route = pick(generator, ROUTES)
    if route != "adopt":
        return judge(number, route, bases, folder, "weights.safetensors")
    models = folder / "models"
    shutil.rmtree(models, ignore_errors=True)
    ended = run_command([
        "adopt-weights", "--weights", str(model / "weights.safetensors"), "--name", "mine", "--encoder",
        "tu-mobilenetv3_small_050", "--hazards", "flood", "--bands", "red,green,blue", "--licence", "CC0",
    ])  # fmt: skip
    fault = ended.fault()
    if not fault and models.is_dir() and (unfinished(models) or (ended.code and any(models.iterdir()))):
        fault = "files left behind"
    return Outcome(number, "weights.safetensors", route, ended.code, ended.seconds, fault, ended.said)


TOPIC = Topic("weights", 600, prepare, begin, run_case)
