"""What is recorded for a GPU and replayed: sizes, memory, choice and refusal, as far as a processor can show it."""

import copy
import importlib.util
import shutil

import numpy as np
import pytest
import torch
from scenes import read, write_raster
from test_backends import NAMES, tiny_model
from test_backends import predictor as on_processor
from test_pipeline import FakeCuda
from test_predict import window
from torch import nn

from engine import repeat
from engine.backends import base, choosing, keys, with_cuda_graph
from engine.backends.choosing import Question, Settled, candidates, settle
from engine.backends.with_cuda_graph import CudaGraphBackend, Recording, TorchCompileBackend, in_precision
from engine.fields import BACKENDS
from engine.model import load_model
from engine.planes import SceneScaling
from engine.predict import Predictor, Wish, logits_at
from engine.protocol import BadInput, ProvenanceJob, SegmentJob
from engine.provenance import provenance
from engine.segment import segment
from engine.transfers import Transfers

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")
TILE_PX = 132_000_000
LACKING = "CUDA out of memory."


class FakeRecorder:
    """Does on a processor what a recording does: reads and writes the same memory at each replay.

    ``error`` is added to answers, ``trouble`` is raised by recordings from the number ``failing_from`` on, until it is
    taken away.
    """

    def __init__(self, device=None, error=0.0, trouble=None, failing_from=0):
        self.recorded, self.replayed, self.dropped = [], 0, 0
        self.error, self.trouble, self.failing_from = error, trouble, failing_from

    def record(self, compute, planes):
        if self.trouble is not None and len(self.recorded) >= self.failing_from:
            trouble, self.trouble = self.trouble, None
            raise trouble
        self.recorded.append(tuple(planes.shape))
        logits = torch.full_like(compute(planes), float("nan"))  # recording computes nothing

        def replay():
            self.replayed += 1
            logits.copy_(compute(planes) + self.error)

        return Recording(planes, logits, replay)

    def let_go(self):
        self.dropped += 1


@pytest.fixture(scope="module")
def network():
    return on_processor(tiny_model(), "torch")._network


def backend_of(network, kind=CudaGraphBackend, **how):
    recorder = FakeRecorder(**how)
    return kind(network, CPU, None, recorder), recorder


def windows_of(network, count, side=32, seed=0):
    planes = network.detail[0].in_channels
    return torch.randn((count, planes, side, side), generator=torch.Generator().manual_seed(seed))


# Recordings


def test_batches_of_any_size_are_answered_as_pytorch_does_and_parts_are_padded(network):
    backend, recorder = backend_of(network)
    for seed, count in enumerate((4, 3, 1, 2, 4, 3)):
        given = windows_of(network, count, seed=seed)
        with torch.inference_mode():
            found = backend.hazard_logits(given)
        assert found.shape[0] == count
        assert torch.allclose(found, network.hazard_logits(given), atol=1e-4)
    assert [shape[0] for shape in recorder.recorded] == [4, 1, 2]
    assert recorder.replayed == 6


def test_a_larger_batch_than_before_is_recorded_and_smaller_ones_take_their_place_in_it(network):
    backend, recorder = backend_of(network)
    for count in (2, 5, 4, 3, 2):
        given = windows_of(network, count, seed=count)
        assert torch.allclose(backend.hazard_logits(given), network.hazard_logits(given), atol=1e-4)
    assert [shape[0] for shape in recorder.recorded] == [2, 5, 3]


def test_an_answer_outlasts_the_next_one(network):
    backend, _ = backend_of(network)
    first, second = (windows_of(network, 2, seed=seed) for seed in (1, 2))
    found = backend.hazard_logits(first)
    backend.hazard_logits(second)
    assert torch.allclose(found, network.hazard_logits(first), atol=1e-4)


def test_resolutions_of_one_shape_do_not_disturb_each_other(network):
    backend, recorder = backend_of(network)
    given = windows_of(network, 2)  # seen from afar, 32 pixels are padded to 32 again
    found, expected = (logits_at(one, given, [1, 2, 4], 32) for one in (backend, network))
    assert torch.allclose(found, expected, atol=1e-4) and len(recorder.recorded) == 1


def test_too_many_shapes_let_all_go_and_go_on(network, monkeypatch):
    monkeypatch.setattr(with_cuda_graph, "MOST_RECORDINGS", 2)
    backend, recorder = backend_of(network)
    for side in (32, 64, 96, 32):
        given = windows_of(network, 1, side)
        assert torch.allclose(backend.hazard_logits(given), network.hazard_logits(given), atol=1e-4)
        assert len(backend._recordings) <= 2
    assert recorder.dropped == 1 and len(recorder.recorded) == 4


def test_a_recording_that_fails_leaves_no_memory_behind(network):
    backend, recorder = backend_of(network, trouble=torch.OutOfMemoryError(LACKING), failing_from=1)
    backend.hazard_logits(windows_of(network, 1, 64))
    with pytest.raises(torch.OutOfMemoryError):
        backend.hazard_logits(windows_of(network, 2, 64))
    assert recorder.dropped == 1 and not backend._recordings and not backend._inputs


def test_weights_in_half_precision_answer_as_autocast_does_bit_by_bit(network):
    module, given = in_precision(network, torch.bfloat16), windows_of(network, 2)
    assert {part.weight.dtype for part in module.modules() if isinstance(part, nn.Conv2d)} == {torch.bfloat16}
    assert all(weight.dtype == torch.float32 for weight in network.parameters())
    backend = CudaGraphBackend(network, CPU, torch.bfloat16, FakeRecorder())
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        expected = base.Exportable(network)(given)
        assert torch.equal(module(given), expected)
    assert torch.equal(backend.hazard_logits(given), expected)


def test_what_is_compiled_is_compiled_for_one_number_of_windows(network, monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda module, **how: asked.append(how) or module)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "kept")
    backend, recorder = backend_of(network, TorchCompileBackend)
    for count in (4, 1, 3):
        given = windows_of(network, count, seed=count)
        assert torch.allclose(backend.hazard_logits(given), network.hazard_logits(given), atol=1e-4)
    assert [shape[0] for shape in recorder.recorded] == [4]
    assert asked == [{"dynamic": False, "fullgraph": True}]  # without fullgraph, parts would silently stay as they are


class Toy(nn.Module):
    """The least that can be compiled: the real networks take a minute."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.hazard_head = nn.Conv2d(4, 2, 1)

    def features(self, planes):
        return self.body(planes), planes


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ on a processor")
def test_a_compiled_network_answers_as_it_did(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_COMPILE_THREADS", "1")
    torch.manual_seed(0)
    toy = Toy().eval()
    backend, _ = backend_of(toy, TorchCompileBackend)
    given = torch.randn((2, 3, 32, 32))
    with torch.inference_mode():
        found = backend.hazard_logits(given)
        expected = toy.hazard_head(toy.body(given))
    assert torch.allclose(found, expected, atol=1e-5)
    assert any(tmp_path.rglob("*.py")) or any(tmp_path.rglob("*.cpp"))  # something was compiled


# Choice


@pytest.fixture
def ask(network, monkeypatch):
    """Questions about a GPU that is none: answers take the time that ``ask.seconds`` gives them."""
    now = [0.0]
    monkeypatch.setattr(keys, "_card", lambda device, half: {"card": "RTX", "precision": str(half)})
    monkeypatch.setattr(choosing, "usable", lambda name, device: base.DEVICE_TYPES.get(name) == device.type)
    monkeypatch.setattr(choosing, "require_installed", lambda name: None)
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(torch, "compile", lambda module, **how: module)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "kept")
    recorders = []

    def recorder(device):
        recorders.append(FakeRecorder(**ask.how))
        return recorders[-1]

    monkeypatch.setattr(with_cuda_graph, "CudaRecorder", recorder)

    def answer(backend, planes):
        now[0] += ask.seconds[getattr(backend, "name", "torch")]
        return backend.hazard_logits(planes).float().sigmoid()[:, 0]

    def ask(wanted="auto", device=GPU, expected_px=TILE_PX):
        said = []
        question = Question(network, wanted, device, answer, 0.5, None, expected_px, {}, said.append, said.append)
        question.said = said
        return question

    ask.seconds, ask.how, ask.recorders = {"torch": 1.0, "cuda-graph": 0.5, "torch-compile": 0.3}, {}, recorders
    return ask


def test_a_recording_that_is_faster_is_chosen_and_chosen_again_without_a_measurement(ask, network):
    first = ask()
    assert settle(first, windows_of(network, 4)).backend.name == "cuda-graph"
    assert any("cuda-graph is chosen, by measurement" in text and "4 x 32 x 32" in text for text in first.said)
    assert {shape[0] for recorder in ask.recorders for shape in recorder.recorded} == {4}  # as they are computed
    ask.seconds["cuda-graph"] = 9.0
    assert settle(ask(), windows_of(network, 4)).backend.name == "cuda-graph"
    assert settle(ask(), windows_of(network, 2)).backend.name == "torch"  # other windows are another measurement


def test_pytorch_stays_where_recordings_gain_nothing(ask, network):
    ask.seconds["cuda-graph"] = 0.97
    assert settle(ask(), windows_of(network, 2)).backend.name == "torch"


def test_small_scenes_and_processors_record_nothing(ask, network):
    assert settle(ask(expected_px=99_000_000), windows_of(network, 2)).backend.name == "torch"
    assert candidates(ask(device=torch.device("mps"))) == [] and ask.recorders == []
    assert not {"cuda-graph", "torch-compile"} & set(candidates(ask(device=CPU, expected_px=10**12)))


def test_only_huge_scenes_wait_for_a_compiler(ask, network):
    assert candidates(ask()) == ["cuda-graph"]
    assert candidates(ask(expected_px=10**10)) == ["cuda-graph", "torch-compile"]
    assert settle(ask(expected_px=10**10), windows_of(network, 1)).backend.name == "torch-compile"


@pytest.mark.parametrize("trouble", [RuntimeError("operation not permitted\nwhen"), torch.OutOfMemoryError(LACKING)])
def test_a_recording_that_fails_falls_out_of_the_choice_with_its_reason(ask, network, trouble):
    ask.how = {"trouble": trouble}
    question = ask()
    assert settle(question, windows_of(network, 2)).backend.name == "torch"
    reason = str(trouble).splitlines()[0].rstrip(".")
    assert any(f"cuda-graph cannot be used ({reason})" in text for text in question.said)


def test_a_recording_that_was_asked_for_and_fails_is_an_error_but_for_want_of_memory(ask, network):
    ask.how = {"trouble": RuntimeError("operation not permitted")}
    with pytest.raises(
        BadInput, match=r"cuda-graph cannot compute .* \(operation not permitted\); choose backend auto"
    ):
        settle(ask("cuda-graph"), windows_of(network, 2))
    ask.how = {"trouble": torch.OutOfMemoryError(LACKING)}
    with pytest.raises(torch.OutOfMemoryError):  # which halves the batch
        settle(ask("cuda-graph"), windows_of(network, 2))


def test_a_recording_is_proven_on_whole_windows_or_refused(ask, network):
    given = windows_of(network, 2, 64)
    found = settle(ask(), given)
    assert found.to_prove == 3
    for left in (1, -1):
        found.probabilities(given)
        assert found.to_prove == left and found.backend.name == "cuda-graph"
    assert settle(ask(), given).to_prove == 1  # proven once, a large scene is compared again
    ask.how = {"error": 0.1}
    question = ask()
    found = settle(question, given)
    expected = question.answer(network, given)
    assert torch.equal(found.probabilities(given), expected)
    assert found.backend.name == "torch" and any("differs from PyTorch" in text for text in question.said)
    assert settle(ask(), given).backend.name == "torch"  # and is not tried again
    with pytest.raises(BadInput, match="differs from PyTorch"):
        settle(ask("cuda-graph"), given).probabilities(given)


def test_a_recording_on_a_processor_is_refused_with_its_remedy(network):
    for name in ("cuda-graph", "torch-compile"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(base, "is_installed", lambda name: True)
            with pytest.raises(BadInput, match=rf"{name} computes on a CUDA GPU, not on cpu; choose device cuda"):
                on_processor(tiny_model(), name)


@pytest.mark.skipif(importlib.util.find_spec("triton") is not None, reason="triton is installed")
def test_a_compiler_that_is_not_there_is_told_with_its_remedy():
    with pytest.raises(BadInput, match=r"torch-compile needs the packages triton.*build of PyTorch for CUDA"):
        on_processor(tiny_model(), "torch-compile")


# On the way of a GPU


class OnFakeGpu(Predictor):
    """A predictor on a processor that takes the way of a GPU, its backend settled."""

    def __init__(self, batch_size, wanted="auto", to_prove=0, **how):
        self.said = []
        model = tiny_model()
        scaling = SceneScaling(("green", "red", "nir"), (0.0,) * 3, (0.5,) * 3, (True,) * 3)
        wish = Wish("auto", note=self.said.append)
        super().__init__(model, "flood", scaling, CPU, batch_size, self.said.append, wish)
        self._transfers = Transfers(CPU, FakeCuda(), pin=False)
        self._question.wanted = wanted
        self.recorder = FakeRecorder(**how)
        backend = CudaGraphBackend(copy.deepcopy(self._network), CPU, None, self.recorder)
        self._settled = Settled(self._question, backend, "key", to_prove)


def different_windows(count):
    return [window(64, 96) * (1 + number) for number in range(count)]


def through(predictor, windows):
    """Answers as the pipeline asks for them: the next batch begins before the last one is waited for."""
    waits = [
        predictor.start(windows[first : first + predictor.batch_size])
        for first in range(0, len(windows), predictor.batch_size)
    ]
    return [probability for wait in waits for (probability,) in wait()]


def agree(found, windows):
    expected = on_processor(tiny_model(), "torch").predict(windows)
    return len(found) == len(expected) and all(
        torch.allclose(one, two, atol=1e-4) for one, two in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("to_prove", [0, 3])
def test_transfers_and_recordings_go_together(to_prove):
    predictor, windows = OnFakeGpu(4, to_prove=to_prove), different_windows(11)
    assert agree(through(predictor, windows), windows)
    assert predictor.backend == "cuda-graph" and predictor.recorder.replayed == 3
    assert [shape[0] for shape in predictor.recorder.recorded] == [4]  # the last three are padded
    assert predictor._settled.to_prove <= 0


def test_memory_that_a_recording_lacks_halves_the_batch():
    predictor, windows = OnFakeGpu(4, trouble=torch.OutOfMemoryError(LACKING)), different_windows(4)
    assert agree(through(predictor, windows), windows)
    assert predictor.batch_size == 2 and predictor.backend == "cuda-graph"
    assert any("going on with 2 windows at a time" in text for text in predictor.said)
    assert predictor.recorder.recorded[0][0] == 2 and predictor.recorder.dropped >= 1


def test_a_recording_that_fails_on_the_way_leaves_the_rest_to_pytorch():
    predictor, windows = OnFakeGpu(2, trouble=RuntimeError("capture was invalidated\nat")), different_windows(4)
    assert agree(through(predictor, windows), windows)
    assert predictor.backend == "torch"
    assert "Backend cuda-graph failed (capture was invalidated): PyTorch computes instead." in predictor.said


def test_a_recording_that_was_asked_for_and_fails_on_the_way_is_an_error():
    predictor = OnFakeGpu(2, "cuda-graph", trouble=RuntimeError("capture was invalidated"))
    with pytest.raises(BadInput, match=r"cuda-graph failed \(capture was invalidated\); choose backend auto or torch"):
        predictor.start(different_windows(2))


def test_the_memory_of_recordings_is_given_back_and_taken_again():
    predictor, windows = OnFakeGpu(2), different_windows(2)
    through(predictor, windows)
    predictor.let_go()
    assert predictor.recorder.dropped == 1 and not predictor._settled.backend._recordings
    assert agree(through(predictor, windows), windows)


# Names


def test_jobs_know_every_backend_and_each_has_its_device():
    assert BACKENDS == ("auto", *base.BACKENDS) and set(base.DEVICE_TYPES) == set(base.BACKENDS) - {"torch"}
    assert all(SegmentJob("s.tif", hazard="flood", mask="m.tif", backend=name).backend == name for name in BACKENDS)
    with pytest.raises(BadInput, match="cuda-graph"):
        SegmentJob("s.tif", hazard="flood", mask="m.tif", backend="cudagraph")


def test_what_was_recorded_is_run_again_with_recordings_or_the_change_is_told(monkeypatch):
    job = {"raster": "s.tif", "hazard": "flood", "mask": "m.tif", "device": "auto"}
    tags = {"HAZARD_BACKEND": "cuda-graph", "HAZARD_BATCH_SIZE": "8"}
    origin = {"job": job, "scene": "s.tif", "before": None, "model": "unet", "tags": tags, "steps": [], "file": "m.tif"}
    origin["threshold"] = 0.5
    found = {}
    for device in (CPU, GPU):
        said = []
        monkeypatch.setattr(repeat, "choose_device", lambda name, device=device: device)
        found[device] = repeat._segment_job(origin, "again.tif", None, said.append, overwrite=True), said
    assert found[GPU][0].backend == "cuda-graph" and found[GPU][0].batch_size == 8 and found[GPU][1] == []
    assert found[CPU][0].backend == "torch"
    assert "computed with cuda-graph, which cannot be used here, on cpu: PyTorch computes" in found[CPU][1][0]


def test_the_version_of_a_recording_is_that_of_cuda(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    assert base.backend_version("cuda-graph") == "CUDA 12.6"


# With a GPU


@pytest.mark.cuda
@pytest.mark.parametrize(
    "name",
    [
        "cuda-graph",
        pytest.param(
            "torch-compile",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed"),
            ],
        ),
    ],
)
def test_a_gpu_answers_from_recordings_as_it_does_without(name):
    slots = ("blue", "green", "red", "nir", "swir1", "swir2")
    scaling = SceneScaling(slots, (0.0,) * 6, (0.5,) * 6, (True,) * 6)
    model, said = load_model("unet"), []
    plain, recorded = (
        Predictor(model, "flood", scaling, torch.device("cuda:0"), 4, said.append, Wish(backend))
        for backend in ("torch", name)
    )
    generator = torch.Generator().manual_seed(0)
    windows = [torch.rand((len(plain._chosen), 256, 256), generator=generator) for _ in range(11)]
    expected = plain.predict(windows)
    recorded.settle(windows[:4])
    for _ in range(2):  # proven first, then beside copies
        found = through(recorded, windows)
        assert max(float((one - two).abs().max()) for one, two in zip(found, expected, strict=True)) <= 0.005
    assert recorded.backend == name and recorded._settled.to_prove <= 0
    assert any(shape[0] == 4 for shape in recorded._settled.backend._recordings)
    recorded.let_go()
    assert recorded._settled.backend._recordings == {}


@pytest.mark.cuda
def test_a_scene_on_a_gpu_says_that_recordings_computed_it(tmp_path):
    values = np.random.default_rng(4).normal(3000, 250, (6, 300, 900)).clip(1)
    values[:, 20:160, 30:380] = np.random.default_rng(5).normal(300, 30, (6, 140, 350)).clip(1)
    scene = write_raster(tmp_path / "scene.tif", values.astype("u2"), names=NAMES)
    masks = {}
    for backend in ("torch", "cuda-graph"):
        mask = str(tmp_path / f"{backend}.tif")
        job = SegmentJob(scene, NAMES, hazard="flood", mask=mask, backend=backend, device="cuda:0")
        assert segment(job)["backend"] == backend
        masks[backend] = read(mask)
        assert provenance(ProvenanceJob(mask))["tags"]["HAZARD_BACKEND"] == backend
    assert (masks["torch"] != masks["cuda-graph"]).mean() <= 1e-3
