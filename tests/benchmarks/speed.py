"""What one process measures of the engine's speed: whole against bare network, backends, and cost by pixels.

Seconds are taken in turn within one run, because machines are shared and noisy: compare ratios. ``*_cpu`` are seconds
of processor time of the whole process, which other programs disturb less.
"""

import contextlib
import dataclasses
import itertools
import math
import statistics
import tempfile
import time
import unittest.mock
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from engine.backends import BACKENDS
from engine.backends.base import usable
from engine.lean import fold_batch_norm
from engine.model import HazardNet, Model, default_model, load_model
from engine.pipeline import OVERLAP_PX, WINDOW_PX
from engine.planes import SceneScaling
from engine.predict import Predictor, Wish
from engine.protocol import BadInput, SegmentJob
from engine.raster import Scene, Window
from engine.segment import segment
from engine.windows import spread_over

TURNS = 7
HAZARD = "flood"
MOST_WINDOWS = 16
"""Windows of a large scene that stand for all of its own when the bare network is timed."""


def backends_on(device: str) -> list[str]:
    """Backends that can be used here on a device, PyTorch first."""
    return [name for name in BACKENDS if usable(name, torch.device(device))]


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processor that an action takes."""
    began, spent = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - began, time.process_time() - spent


def read_windows(raster: str, model: Model) -> tuple[SceneScaling, list[torch.Tensor], float, float]:
    """Windows of a scene as a model takes them, of the shape that the operation predicts, side by side or spread.

    Returns:
        The scaling, planes of the windows, pixels of the scene over theirs, and pixels that the operation predicts,
        overlaps counted as often as they are predicted, over those of the scene.
    """
    job = SegmentJob(raster=raster, hazard=HAZARD, mask="unused.tif")
    windows = []
    with Scene(job) as scene:
        found = scene.understand()
        low, high = scene.percentiles(found)
        scaling = SceneScaling(found.match.used_slots, low, high, tuple(units.absolute for units in found.slot_units))
        predictor = Predictor(model, HAZARD, scaling, torch.device("cpu"), None, print)
        rows, columns = spread_over(scene.height, scene.width, WINDOW_PX, OVERLAP_PX, model.card.window_multiple)
        height, width = min(rows.size, scene.height), min(columns.size, scene.width)
        tops, lefts = (range(0, all_px - px + 1, px) for all_px, px in ((scene.height, height), (scene.width, width)))
        places = list(itertools.product(tops, lefts))
        for top, left in places[:: -(-len(places) // MOST_WINDOWS)]:
            values, valid = scene.read_window(Window(left, top, width, height), found)
            planes = predictor.planes(torch.from_numpy(values)[None], torch.from_numpy(valid)[None, None])
            windows.append(planes[0])
        pixels = scene.height * scene.width
    overlap = rows.predicted * columns.predicted / pixels
    return scaling, windows, pixels / (len(windows) * height * width), overlap


def unpack(raster: str) -> None:
    """Read each block of a scene once, and do nothing else."""
    with Scene(SegmentJob(raster=raster, hazard=HAZARD, mask="unused.tif")) as scene:
        rows = scene.block_size[1]
        for top in range(0, scene.height, rows):
            scene.dataset.ReadAsArray(0, top, scene.width, min(rows, scene.height - top))


def ready_predictor(model: Model, scaling: SceneScaling, backend: str, device: str = "cpu") -> Predictor:
    """A predictor with its backend settled and compared with PyTorch on one window."""
    predictor = Predictor(model, HAZARD, scaling, torch.device(device), None, print, Wish(backend))
    generator = torch.Generator().manual_seed(0)
    planes = len(predictor._chosen)
    for side in (128, 64, 96) if device == "cpu" else (128, 128, 128):  # three windows prove a backend
        predictor.settle([torch.rand((planes, side, side), generator=generator)])
        predictor.predict([torch.rand((planes, side, side), generator=generator)])
    return predictor


@contextlib.contextmanager
def networks_as_built() -> Iterator[None]:
    """Predictors made meanwhile compute networks as the library builds them, normalisations folded, not rewritten."""

    def as_built(model: Model, planes: Sequence[int], device: torch.device, equal: Mapping[int, int]) -> HazardNet:
        return fold_batch_norm(model.network.restricted_to(planes, equal).eval()).to(device)

    with unittest.mock.patch("engine.predict.ready_network", as_built):
        yield


def measure_pipeline(
    raster: str, device: str = "cpu", turns: int = TURNS, without: Sequence[str] = (), model: str | None = None
) -> dict[str, dict[str, float]]:
    """For each backend: the whole operation over the bare network on the same pixels without overlap, warm.

    Beside it over the same network as the library builds it, and what no pipeline can do without on the same processor:
    overlaps, and unpacking the file.
    """
    name = model or default_model(HAZARD)
    models = {name: load_model(name)}
    scaling, windows, share, overlap = read_windows(raster, models[name])
    pixels = share * sum(window[0].numel() for window in windows)
    windows = [window.to(device) for window in windows]  # the network alone is timed
    unpacking = min(timed(lambda: unpack(raster))[1] for _ in range(min(3, turns)))
    figures: dict[str, dict[str, float]] = {}
    for backend in backends_on(device):
        if backend in without:
            continue
        try:
            predictor = ready_predictor(models[name], scaling, backend, device)
            with networks_as_built():
                plain = ready_predictor(dataclasses.replace(models[name], kept={}), scaling, backend, device)
        except BadInput:  # measure_backends tells why
            continue
        with tempfile.TemporaryDirectory() as folder:
            job = SegmentJob(
                raster,
                hazard=HAZARD,
                mask=f"{folder}/m.tif",
                overwrite=True,
                backend=backend,
                device=device,
                model=name,
            )
            predictor.predict(windows)
            plain.predict(windows)
            segment(job, None, models)
            bare, built, whole = [], [], []
            for _ in range(turns):
                for one, found in ((predictor, bare), (plain, built)):
                    spent = timed(lambda: one.predict(windows))  # noqa: B023
                    found.append((share * spent[0], share * spent[1]))
                whole.append(timed(lambda: segment(job, None, models)))  # noqa: B023
        figures[backend] = {
            "megapixels": pixels / 1e6,
            "overlap": overlap,
            "bare_s": statistics.median(seconds for seconds, _ in bare),
            "whole_s": statistics.median(seconds for seconds, _ in whole),
            "ratio": statistics.median(a[0] / b[0] for a, b in zip(whole, bare, strict=True)),
            "as_built_s": statistics.median(seconds for seconds, _ in built),
            "ratio_as_built": statistics.median(a[0] / b[0] for a, b in zip(whole, built, strict=True)),
            "bare_cpu_s": statistics.median(cpu for _, cpu in bare),
            "whole_cpu_s": statistics.median(cpu for _, cpu in whole),
            "ratio_cpu": statistics.median(a[1] / b[1] for a, b in zip(whole, bare, strict=True)),
            "unpacking_cpu": unpacking / statistics.median(cpu for _, cpu in bare),
        }
    return figures


def measure_backends(
    model: str | None = None, side: int = 512, turns: int = 5, device: str = "cpu"
) -> dict[str, float | str]:
    """Speed of each backend and over PyTorch as it comes, for as many windows as are computed together.

    The windows lie on the device; "eager" is in single precision, the others are in that of the device.
    """
    loaded = load_model(model or default_model(HAZARD))
    slots = ("blue", "green", "red", "nir", "swir1", "swir2")
    scaling = SceneScaling(slots, (0.02,) * 6, (0.4,) * 6, (True,) * 6)
    predictors, figures = {}, {}
    for name in backends_on(device):
        try:
            predictors[name] = ready_predictor(loaded, scaling, name, device)
        except BadInput as error:
            figures[f"{name}_failed"] = str(error)
    chosen = predictors["torch"]._chosen
    plain = fold_batch_norm(loaded.network.restricted_to(chosen).eval()).to(
        device, memory_format=torch.contiguous_format
    )
    shape = (predictors["torch"].batch_size, len(chosen), side, side)
    windows = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(device)
    pixels = shape[0] * side * side
    features = type(plain).features

    def eager() -> object:
        contiguous = torch.Tensor.contiguous
        try:  # the network asks for channels-last itself
            torch.Tensor.contiguous = lambda given, memory_format=None: given  # type: ignore[method-assign]
            with torch.inference_mode():
                return plain.hazard_head(features(plain, windows)[0]).cpu()  # the answer is there, not only begun
        finally:
            torch.Tensor.contiguous = contiguous  # type: ignore[method-assign]

    ways: dict[str, Callable[[], object]] = {"eager": eager}
    for name, predictor in predictors.items():
        ways["channels_last" if name == "torch" else name] = lambda p=predictor: p._answer(p._settled.backend, windows)  # type: ignore[misc]
    seconds = dict.fromkeys(ways, math.inf)
    for turn in range(turns + 1):
        for name, way in ways.items():
            took, _ = timed(way)
            if turn:  # the first is for warming up
                seconds[name] = min(seconds[name], took)
    figures.update({f"{name}_mpx_s": pixels / 1e6 / took for name, took in seconds.items()})
    figures.update({f"{name}_over_eager": seconds["eager"] / took for name, took in seconds.items()})
    return figures


def measure_scaling(rasters: dict[int, str]) -> dict[str, float]:
    """How processor time grows with pixels, for scenes of these numbers of pixels.

    Returns:
        ``exponent``, the slope of its logarithm, which what each scene costs makes less; ``exponent_further``, the same
        of what is added from one scene to the next, which would show that the last pixels cost more than the first.
    """
    name = default_model(HAZARD)
    models = {name: load_model(name)}
    points = []
    with tempfile.TemporaryDirectory() as folder:
        for pixels, raster in sorted(rasters.items()):
            job = SegmentJob(raster, hazard=HAZARD, mask=f"{folder}/m.tif", overwrite=True, backend="torch")
            if not points:
                segment(job, None, models)
            spent = min(timed(lambda: segment(job, None, models))[1] for _ in range(2))  # noqa: B023
            points.append((math.log(pixels), math.log(spent)))
    middle = [statistics.mean(point[axis] for point in points) for axis in (0, 1)]
    slope = sum((x - middle[0]) * (y - middle[1]) for x, y in points) / sum((x - middle[0]) ** 2 for x, _ in points)
    sizes, seconds = ([math.exp(point[axis]) for point in points] for axis in (0, 1))
    further = [(after - before) for before, after in itertools.pairwise(seconds)]
    pixels_further = [(after - before) for before, after in itertools.pairwise(sizes)]
    slope_further = math.log(further[-1] / further[0]) / math.log(pixels_further[-1] / pixels_further[0])
    return {
        "exponent": slope,
        "exponent_further": slope_further,
        **{f"cpu_s_{n}": spent for n, spent in enumerate(seconds)},
    }
