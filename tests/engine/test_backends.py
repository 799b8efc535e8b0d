"""Other programs than PyTorch compute the same probabilities, or are refused; the fastest is chosen, and kept to."""

import copy
import dataclasses
import functools
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from scenes import read, write_raster
from test_predict import SCALING, tiny_card, window
from torch import nn

from engine.backends import base, choosing, exports, with_openvino
from engine.backends.exports import ExportStore
from engine.model import Model, build_network
from engine.predict import Predictor, Wish, logits_at
from engine.protocol import BadInput, Cancelled, ProvenanceJob, RepeatJob, SegmentJob
from engine.provenance import provenance
from engine.repeat import repeat
from engine.segment import segment

needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="OpenVINO is not installed (engine/requirements-fast.txt)"
)
ONNX = Path(sys.prefix) / "onnx"
"""ONNX Runtime and onnx, for processes of their own: here the choice would find them."""
ROOT = Path(__file__).resolve().parents[2]
NAMES = ("blue", "green", "red", "nir", "swir1", "swir2")


@functools.cache
def tiny_network():
    torch.manual_seed(0)
    return build_network(tiny_card()).eval()


def tiny_model():
    return Model(tiny_card(), copy.deepcopy(tiny_network()), "x", "0" * 64, False)


def predictor(model, backend, *, scales=(1,), window_px=0, said=None, threshold=0.5, hazard="flood"):
    card = dataclasses.replace(model.card, scales={hazard: list(scales)})
    said = [] if said is None else said
    wish = Wish(backend, window_px, threshold, said.append)
    return Predictor(dataclasses.replace(model, card=card), hazard, SCALING, torch.device("cpu"), 2, said.append, wish)


class FakeBackend:
    """Answers as the network does, a little beside it, after some milliseconds."""

    name = "openvino"
    channels_last = False
    network: nn.Module
    error = 0.0
    failing_from = 0
    failing_over_px = 0
    calls = 0

    def __init__(self, files):
        assert files == {"model": b"exported"}
        type(self).calls = 0

    def hazard_logits(self, planes):
        type(self).calls += 1
        wrong = self.calls > self.failing_from and planes.shape[-1] > self.failing_over_px
        return self.network.hazard_logits(planes) + (self.error if wrong else 0.0)

    def let_go(self):
        pass


@pytest.fixture
def fake(monkeypatch):
    """OpenVINO as a class whose answers and speed a test decides; the seconds measured come from ``seconds``."""
    model = tiny_model()
    made = predictor(model, "torch")

    class Fake(FakeBackend):
        network = made._network

    exported = []
    monkeypatch.setattr(with_openvino, "OpenVinoBackend", Fake)
    monkeypatch.setattr(
        with_openvino, "export", lambda network, planes: exported.append(planes) or {"model": b"exported"}
    )
    monkeypatch.setattr(choosing, "usable", lambda name, device: name == "openvino")
    monkeypatch.setattr(choosing, "require_installed", lambda name: None)
    Fake.model, Fake.exported = model, exported
    return Fake


def clock(monkeypatch, **milliseconds):
    """Every answer of a backend takes a time of its own on the clock that the measurement reads."""
    now = [0.0]
    answer = Predictor._answer

    def timed(self, backend, planes):
        now[0] += milliseconds[getattr(backend, "name", "torch")] / 1000
        return answer(self, backend, planes)

    monkeypatch.setattr(Predictor, "_answer", timed)
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: now[0])


def settled(model, backend="auto", **how):
    made = predictor(model, backend, **how)
    made.settle_backend([window(96, 128)])
    return made


# Parity


def exported(module):
    """A network and an export of it, by a module of ``engine.backends``."""
    network = predictor(tiny_model(), "torch")._network
    return network, module.export(network, len(window(32, 32)))


def require_same_answers(network, backend):
    """An export answers as PyTorch does, for windows of any shape and number, seen from afar too."""
    planes = len(window(32, 32))
    for shape in ((1, 96, 128), (2, 32, 64), (1, 160, 32), (1, 64, 64), (1, 64, 96), (1, 96, 128)):
        given = torch.randn((shape[0], planes, *shape[1:]), generator=torch.Generator().manual_seed(shape[1]))
        expected = network(given).hazard
        found = backend.hazard_logits(given.contiguous(memory_format=torch.channels_last))
        assert (found.sigmoid() - expected.sigmoid()).abs().max() < 1e-4
        both = [logits_at(one, given, [1, 2, 4], 32).sigmoid() for one in (backend, network)]
        assert (both[0] - both[1]).abs().max() < 1e-4


@needs_openvino
def test_a_network_exported_to_openvino_answers_as_pytorch_does():
    network, files = exported(with_openvino)
    backend = with_openvino.OpenVinoBackend(files)
    require_same_answers(network, backend)
    assert "openvino_telemetry" not in sys.modules
    assert len(backend._requests) <= with_openvino.MOST_SHAPES
    compiled = next(iter(backend._requests.values())).get_compiled_model()
    precision = str(compiled.get_property("INFERENCE_PRECISION_HINT")).lower()
    assert "f32" in precision or "float32" in precision
    backend.let_go()
    require_same_answers(network, backend)


@pytest.mark.skipif(not (ONNX / "onnxruntime").is_dir(), reason="ONNX Runtime and onnx are not in .venv/onnx")
def test_a_network_exported_to_onnx_runtime_answers_as_pytorch_does():
    code = (
        "import sys; sys.path[:0] = ['tests/engine']\n"
        "from test_backends import exported, require_same_answers\n"
        "from engine.backends import base, with_onnxruntime\n"
        "assert base.is_installed('onnxruntime')\n"
        "network, files = exported(with_onnxruntime)\n"
        "require_same_answers(network, with_onnxruntime.OnnxRuntimeBackend(files))\n"
        "print('same')\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ONNX)},
    )
    assert found.stdout == "same\n", found.stderr[-1000:]


@needs_openvino
def test_a_scene_is_the_same_with_another_backend_which_is_recorded_and_repeated(tmp_path):
    generator = np.random.default_rng(4)
    values = generator.normal(3000, 250, (6, 96, 120)).clip(1)
    values[:, 20:60, 30:80] = generator.normal(300, 30, (6, 40, 50)).clip(1)
    scene = write_raster(tmp_path / "scene.tif", values.astype("u2"), names=NAMES)
    found, models = {}, {}
    for backend in ("torch", "openvino"):
        mask, probability = str(tmp_path / f"{backend}.tif"), str(tmp_path / f"{backend}_p.tif")
        job = SegmentJob(scene, NAMES, hazard="flood", mask=mask, probability=probability, backend=backend)
        assert segment(job, None, models)["backend"] == backend
        assert provenance(ProvenanceJob(mask))["tags"]["HAZARD_BACKEND"] == backend
        found[backend] = read(mask), read(probability).astype(int)
    assert (found["torch"][0] == 1).any()
    assert (found["torch"][0] != found["openvino"][0]).mean() <= 1e-4
    assert np.abs(found["torch"][1] - found["openvino"][1]).max() <= 1
    again = str(tmp_path / "again.tif")
    assert repeat(RepeatJob(str(tmp_path / "openvino.tif"), again))["different_pixels"] == 0
    tags = provenance(ProvenanceJob(again))["tags"]
    assert tags["HAZARD_BACKEND"] == "openvino" and "openvino 20" in tags["HAZARD_VERSIONS"]


def test_a_backend_that_differs_is_refused_with_a_warning(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=1)
    fake.error = 0.1  # of a logit near 0: 0.025 of a probability
    said = []
    made = settled(fake.model, window_px=10**8, said=said)
    assert made.backend == "openvino"
    planes = window(96, 128)
    assert torch.equal(made.predict([planes])[0], predictor(fake.model, "torch").predict([planes])[0])
    assert made.backend == "torch" and any("differs from PyTorch" in text for text in said)
    assert settled(fake.model, window_px=10**8).backend == "torch"  # and is not tried again


def test_a_backend_that_differs_only_later_is_refused_there(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=1)
    made = settled(fake.model, window_px=10**8)
    fake.error, fake.calls, fake.failing_from = 0.1, 0, 1
    planes = window(96, 128)
    expected = predictor(fake.model, "torch").predict([planes])[0]
    assert all(torch.equal(made.predict([planes])[0], expected) for _ in range(3))
    assert made.backend == "torch"


def test_what_computes_the_mask_is_what_is_proven(fake, monkeypatch):
    """A backend is compiled for each shape of windows: a part of a window would be computed by another one."""
    clock(monkeypatch, torch=10, openvino=1)
    fake.error, fake.failing_over_px = 0.1, choosing.MEASURED_PX
    made = settled(fake.model, window_px=10**8)
    planes = window(32, choosing.MEASURED_PX + 32)
    assert torch.equal(made.predict([planes])[0], predictor(fake.model, "torch").predict([planes])[0])
    assert made.backend == "torch"


@pytest.mark.parametrize("other", [{"hazard": "landslide"}, {"scales": (1, 2)}, {"threshold": 0.3}])
def test_a_proof_holds_for_what_was_compared(fake, monkeypatch, other):
    clock(monkeypatch, torch=10, openvino=1)
    card = dataclasses.replace(tiny_card(), hazards=("flood", "landslide"), thresholds={"flood": 0.5, "landslide": 0.5})
    model = Model(card, build_network(card).eval(), "x", "0" * 64, False)
    monkeypatch.setattr(fake, "network", predictor(model, "torch")._network)
    made = settled(model, window_px=10**8)
    for _ in range(choosing.PROVING_WINDOWS):
        made.predict([window(96, 128)])
    assert settled(model, window_px=100)._settled.to_prove == 0
    assert settled(model, window_px=100, **other)._settled.to_prove == choosing.PROVING_WINDOWS


def test_a_backend_that_was_asked_for_and_differs_is_an_error(fake):
    fake.error = 0.1
    made = settled(fake.model, "openvino")
    with pytest.raises(BadInput, match=r"differs from PyTorch .* choose backend auto or torch"):
        made.predict([window(96, 128)])


@pytest.mark.parametrize(
    ("difference", "flipped", "refused"),
    [(0.004, 0, False), (0.006, 0, True), (0.004, 1, False), (0.004, 2, True), (float("nan"), 0, True)],
)
def test_what_counts_as_the_same(difference, flipped, refused):
    expected = torch.full((1, 100, 150), 0.3)
    expected[0, 0, :flipped] = 0.498
    assert (choosing.compare(expected + difference, expected, 0.5) is not None) == refused


# Choice


def test_the_fastest_is_chosen_and_chosen_again_without_a_measurement(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=4)
    assert settled(fake.model, window_px=10**8).backend == "openvino"
    clock(monkeypatch, torch=1, openvino=400)  # another time it would be slower: the machine is busy
    assert settled(fake.model, window_px=10**8).backend == "openvino"
    assert settled(fake.model, window_px=100).backend == "openvino"  # it is there already
    assert len(fake.exported) == 1
    measured = json.loads((exports.cache_folder() / exports.RECORDS).read_text())["choices"]
    assert [entry["seconds"] for entry in measured.values()] == [{"torch": 0.01, "openvino": 0.004}]


def test_an_export_does_not_hold_up_who_cancels_and_serves_the_next_scene(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=1)
    began, goes_on = threading.Event(), threading.Event()

    def export(network, planes):
        fake.exported.append(planes)
        began.set()
        goes_on.wait()
        return {"model": b"exported"}

    def cancelled():
        if began.is_set():
            raise Cancelled("Enough.")

    monkeypatch.setattr(with_openvino, "export", export)
    made = predictor(fake.model, "auto", window_px=10**8)
    made._question.check = cancelled
    with pytest.raises(Cancelled):
        made.settle_backend([window(96, 128)])
    goes_on.set()
    while "exporting" in [thread.name for thread in threading.enumerate()]:
        time.sleep(0.01)
    assert settled(fake.model, window_px=10**8).backend == "openvino" and len(fake.exported) == 1


def test_pytorch_stays_where_nothing_is_faster(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=9.8)
    assert settled(fake.model, window_px=10**8).backend == "torch"


def test_small_scenes_do_not_wait_for_an_export(fake):
    assert settled(fake.model, window_px=choosing.PAYS_PX - 1).backend == "torch"
    assert fake.exported == [] and not exports.cache_folder().exists()


def test_pixels_seen_at_several_resolutions_count(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=1)
    assert settled(fake.model, window_px=int(0.9 * choosing.PAYS_PX)).backend == "torch"
    assert settled(fake.model, window_px=int(0.9 * choosing.PAYS_PX), scales=(1, 2)).backend == "openvino"


def test_adapted_weights_are_exported_for_themselves(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=1)
    settled(fake.model, window_px=10**8)
    adapted = tiny_model()
    with torch.no_grad():
        adapted.network.hazard_head.bias += 1
    assert settled(adapted, window_px=10**8).backend == "openvino"
    assert len(fake.exported) == 2


def test_a_proven_backend_is_compared_again_on_large_scenes_only(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=1)
    planes = window(96, 128)
    made = settled(fake.model, window_px=10**8)
    for left in (3, 2, 1, 0, 0):
        assert made._settled.to_prove == left
        made.predict([planes])
    assert settled(fake.model, window_px=20 * 96 * 128)._settled.to_prove == 1
    assert settled(fake.model, window_px=2 * 96 * 128)._settled.to_prove == 0


def test_a_backend_that_fails_leaves_the_work_to_pytorch(fake, monkeypatch):
    def fail(network, planes):
        raise RuntimeError("no such operation\nat length")

    monkeypatch.setattr(with_openvino, "export", fail)
    said = []
    assert settled(fake.model, window_px=10**8, said=said).backend == "torch"
    assert any("no such operation" in text for text in said)
    with pytest.raises(BadInput, match=r"openvino cannot compute this network \(no such operation\)"):
        settled(fake.model, "openvino")


def test_a_backend_that_is_not_there_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"openvino needs the packages openvino.*requirements-fast\.txt.*auto"):
        predictor(tiny_model(), "openvino")
    assert settled(tiny_model(), window_px=10**9).backend == "torch"


def test_other_backends_are_for_processors_and_networks_that_can_be_exported(fake):
    network = predictor(fake.model, "torch")._network
    ask = choosing.Question(network, "openvino", torch.device("cuda:0"), lambda backend, planes: planes)
    with pytest.raises(BadInput, match="not on cuda:0; choose device cpu"):
        choosing.require_possible(ask)
    toy = dataclasses.replace(ask, network=nn.Identity(), device=torch.device("cpu"))
    with pytest.raises(BadInput, match="cannot compute this network"):
        choosing.require_possible(toy)


def test_a_backend_that_ended_the_engine_is_not_tried_again_the_same_day(fake, monkeypatch):
    clock(monkeypatch, torch=10, openvino=1)
    today = [1_000_000.0]
    monkeypatch.setattr(choosing.time, "time", lambda: today[0])

    class Killed(BaseException):
        """Stands for the end of the process: nothing after it is carried out."""

    def die(network, planes):
        monkeypatch.setattr(ExportStore, "record", lambda *given: None)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(with_openvino, "export", die)
        record = ExportStore.record
        with pytest.raises(Killed):
            settled(fake.model, window_px=10**8)
        monkeypatch.setattr(ExportStore, "record", record)
    said = []
    assert settled(fake.model, window_px=10**8, said=said).backend == "torch"
    assert any("did not come back" in text for text in said)
    (exports.cache_folder() / exports.RECORDS).write_text(
        json.dumps({"tried": ExportStore().records("tried")})  # another machine's choice is not in question here
    )
    today[0] += 90_000
    assert settled(fake.model, window_px=10**8).backend == "openvino"


# The store


def test_exports_come_back_as_they_were_stored(tmp_path):
    store = ExportStore(tmp_path / "new" / "folder")
    files = {"a": os.urandom(1000), "b": b"", "c": b"\n{}\n"}
    store.store("key", files)
    assert store.load("key") == files and store.has("key") and store.load("other") is None
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["key.export"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text", "head", "longer"])
def test_a_damaged_export_is_not_there_and_goes(tmp_path, damage):
    store = ExportStore(tmp_path)
    store.store("key", {"a": b"x" * 5000})
    path = tmp_path / "key.export"
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
    path.write_bytes(
        {
            "flip": bytes(content),
            "cut": bytes(content[:-10]),
            "empty": b"",
            "text": b"hello\nworld",
            "head": b"[" * 100_000 + b"\n",
            "longer": bytes(content) + b"x",
        }[damage]
    )
    assert store.load("key") is None and not path.exists()


def test_the_store_keeps_the_exports_used_last(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "MOST_EXPORTS", 3)
    store = ExportStore(tmp_path)
    for number in range(5):
        store.store(f"key{number}", {"a": bytes(10)})
        os.utime(tmp_path / f"key{number}.export", (1000 + number, 1000 + number))
        if number == 3:
            store.load("key1")  # used now
    assert sorted(path.stem for path in tmp_path.glob("*.export")) == ["key1", "key3", "key4"]
    monkeypatch.setattr(exports, "MOST_BYTES", 3000)
    store.store("large", {"a": bytes(2500)})
    assert sorted(path.stem for path in tmp_path.glob("*.export"))[-1] == "large"
    assert sum(path.stat().st_size for path in tmp_path.glob("*.export")) <= 3000


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"choices": 3}', b"\xff\xfe", b"[" * 100_000])
def test_damaged_records_are_none(tmp_path, content):
    store = ExportStore(tmp_path)
    (tmp_path / exports.RECORDS).write_bytes(content)
    assert store.records("choices") == {}
    store.record("choices", "key", {"backend": "torch"})
    assert store.records("choices") == {"key": {"backend": "torch"}}


def test_records_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "MOST_RECORDS", 3)
    store = ExportStore(tmp_path)
    for number in range(5):
        store.record("proven", str(number), True)
    assert list(store.records("proven")) == ["2", "3", "4"]


def test_a_store_that_cannot_be_written_keeps_nothing_and_says_nothing(tmp_path):
    (tmp_path / "file").write_text("x")
    store = ExportStore(tmp_path / "file")
    store.store("key", {"a": b"x"})
    store.record("choices", "key", 1)
    assert store.load("key") is None and store.records("choices") == {}
