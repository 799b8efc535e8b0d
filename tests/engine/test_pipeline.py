"""Stages that run side by side: in order, bounded, ended together; blocks decoded once, memory whatever the width."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from osgeo import gdal
from scenes import reflectance_model, run, write_raster

from engine.ahead import running_ahead, waited_for
from engine.devices import choose_device
from engine.pipeline import Task, predict_rows
from engine.planes import SceneScaling
from engine.predict import DeviceFailed, Predictor
from engine.protocol import Cancelled, SegmentJob
from engine.raster import Scene, Window, blocks, gdal_setup
from engine.reporting import Report
from engine.resampling import Factor, ModelGrid
from engine.transfers import Transfers

ROOT = Path(__file__).resolve().parents[2]


# Running ahead


def test_items_come_in_order_from_another_thread_and_never_too_many_wait():
    made, threads = [], set()

    def items():
        for number in range(20):
            threads.add(threading.current_thread().name)
            made.append(number)
            yield number

    with running_ahead(items(), 3, "making") as taken:
        for expected, number in enumerate(taken):
            assert number == expected
            time.sleep(0.005)
            assert len(made) <= number + 1 + 3 + 1 + 1  # taken, waiting, in hand
        assert list(taken) == []
    assert threads == {"making"} and len(made) == 20


def test_what_fails_ahead_is_raised_where_the_next_item_is_taken():
    def items():
        yield 1
        raise ValueError("no more")

    with running_ahead(items(), 2, "making") as taken:
        assert next(taken) == 1
        with pytest.raises(ValueError, match="no more"):
            next(taken)
        assert list(taken) == []


def test_leaving_early_closes_what_runs_ahead_in_its_own_thread():
    closed = []

    def items():
        try:
            while True:
                yield 0
        finally:
            closed.append(threading.current_thread().name)

    with pytest.raises(KeyError), running_ahead(items(), 1, "making") as taken:
        next(taken)
        raise KeyError
    assert closed == ["making"]
    assert all(thread.name != "making" for thread in threading.enumerate())


def test_a_long_call_answers_or_raises_from_its_own_thread():
    assert waited_for(lambda: threading.current_thread().name, lambda: None, threading.Lock(), "calling") == "calling"
    with pytest.raises(KeyError):
        waited_for(lambda: {}["no"], lambda: None, threading.Lock(), "calling")


def test_a_process_waits_for_a_long_call_even_if_a_daemon_asked_for_it():
    """A process that ended in the middle of an export was aborted."""
    found = []

    def ask():
        found.append(waited_for(lambda: threading.current_thread().daemon, lambda: None, threading.Lock(), "calling"))

    daemon = threading.Thread(target=ask, daemon=True)
    daemon.start()
    daemon.join(10)
    assert found == [False]


def test_a_long_call_is_left_when_it_is_no_longer_wanted_and_the_next_waits_for_its_turn():
    turn, goes_on, began, ended = threading.Lock(), threading.Event(), threading.Event(), threading.Event()

    def call():
        began.set()
        goes_on.wait()
        ended.set()

    def cancelled():
        if began.is_set():
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        waited_for(call, cancelled, turn, "calling")
    assert not ended.is_set()
    threading.Timer(0.2, goes_on.set).start()
    assert waited_for(ended.is_set, lambda: None, turn, "calling")


# The pipeline


def task_of(scene, job, factor=Factor()):  # noqa: B008
    found = scene.understand()
    low, high = scene.percentiles(found)
    scaling = SceneScaling(found.match.used_slots, low, high, tuple(u.absolute for u in found.slot_units))
    whole = Window(0, 0, scene.width, scene.height)
    grid = ModelGrid(whole, factor, factor)
    return Task(job, found, scaling, grid, whole, None, 32, blocks=scene.blocks(found, whole))


def job_for(raster, folder):
    return SegmentJob(raster, ("green",), units="reflectance", hazard="flood", mask=str(folder / "mask.tif"))


def test_cancelling_between_windows_ends_every_thread(tmp_path):
    raster = write_raster(tmp_path / "s.tif", np.full((2000, 1700), 0.3, "f4"))
    model = reflectance_model(tmp_path / "model")
    report = Report()
    network, before = model.network, threading.active_count()
    answer = network.hazard_logits

    def answer_and_cancel(planes):
        if len(network.calls) == 3:
            report.cancelled.set()
        return answer(planes)

    network.hazard_logits = answer_and_cancel
    with pytest.raises(Cancelled):
        run(tmp_path, raster, model=model, report=report)
    assert threading.active_count() <= before
    assert len(network.calls) <= 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "s.tif"]


def read_while_predicting(folder: Path, block: int, case: str) -> float:
    """How many times its bytes are read of a file whose blocks are stored as they are.

    Args:
        folder: for files.
        block: side of the file's blocks.
        case: ``small``, a scene that the usual block cache holds, on another grid than the model's, counted from its
            sample on; else the block cache is too small for it, as it is for wide scenes with many bands: ``low``, so
            small that windows have to be lower; ``virtual``, the scene is a virtual raster.
    """
    small = case == "small"
    if not small:
        gdal_setup.CACHE_MB = 4
    if case == "low":
        blocks.MOST_CACHE_MB = 30  # windows of 768 rows would need 35
    options = ["TILED=YES", f"BLOCKXSIZE={block}", f"BLOCKYSIZE={block}"]
    values = np.random.default_rng(0).uniform(0.1, 0.9, (3 * 1024, 4 * 1024)).astype("f4")
    raster = write_raster(folder / "s.tif", values, options=options)
    if case == "virtual":
        gdal.BuildVRT(str(folder / "s.vrt"), [raster])
        raster = str(folder / "s.vrt")
    job = job_for(raster, folder)

    def read_so_far() -> int:
        return int(Path("/proc/self/io").read_text().split("rchar:")[1].split()[0])

    with Scene(job) as scene:
        before = read_so_far()
        task = task_of(scene, job, Factor(down=2) if small else Factor())
        model = reflectance_model(folder / "model")
        predictor = Predictor(model, "flood", task.scaling, torch.device("cpu"), None, print)
        if not small:
            before = read_so_far()
        rows = sum(len(portion.probability) for portion in predict_rows(task, scene, predictor, Report()))
    assert rows == len(values)
    return (read_so_far() - before) / values.nbytes


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the bytes that a process reads are counted by Linux")
@pytest.mark.parametrize(
    ("block", "case"), [(256, ""), (512, ""), (256, "small"), (512, "low"), (1024, ""), (1024, "virtual")]
)
def test_each_block_is_decoded_once(tmp_path, block, case):
    """Not once for every window, nor again for the sample and the mask's own pixels.

    In a process of its own, as what others left in the block cache takes room there.
    """
    code = (
        "import sys; sys.path[:0] = ['tests/engine']\n"
        "from pathlib import Path; from test_pipeline import read_while_predicting\n"
        "print(read_while_predicting(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path), str(block), case]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(ended.stdout) < 1.1


@pytest.mark.parametrize(
    ("type_bytes", "block", "columns", "rows"),
    [
        (2, 512, 10_980, 768),  # a Sentinel-2 tile of six bands
        (2, 1024, 10_980, 768),
        (4, 512, 10_980, 512),
        (2, 256, 20_000, 768),
        (2, 512, 30_000, 768),  # no height of windows would do
    ],
)
def test_windows_are_lower_where_blocks_would_be_decoded_again(type_bytes, block, columns, rows):
    found = blocks.Blocks((block, block), (columns, 10_980), 6 * type_bytes)
    heights = range(768, 383, -32)
    assert heights[found.first_that_fits(heights)] == rows
    whole = Window(0, 0, columns, 10_980)
    task = Task(job_for("s", Path()), None, None, ModelGrid(whole, Factor(), Factor()), whole, None, 32, blocks=found)
    assert rows - 160 <= task.rows.size <= rows


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a process's own peak is told by Linux")
def test_a_very_wide_virtual_mosaic_takes_bounded_memory(tmp_path):
    """100 000 columns with one tile of data, in a process of its own: what holds rows is counted by its peak."""
    tile = write_raster(tmp_path / "tile.tif", np.full((700, 500), 0.7, "f4"), nodata=(-1.0,))
    mosaic = tmp_path / "mosaic.vrt"
    mosaic.write_text(
        '<VRTDataset rasterXSize="100000" rasterYSize="900"><GeoTransform>500000,10,0,5100000,0,-10</GeoTransform>'
        '<SRS>EPSG:32632</SRS><VRTRasterBand dataType="Float32" band="1"><NoDataValue>-1</NoDataValue>'
        f"<SimpleSource><SourceFilename>{tile}</SourceFilename><SourceBand>1</SourceBand>"
        '<SrcRect xOff="0" yOff="0" xSize="500" ySize="700"/><DstRect xOff="60000" yOff="150" xSize="500" ySize="700"/>'
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    code = (
        "import sys; sys.path[:0] = ['tests/engine']\n"
        "from pathlib import Path; from scenes import *\n"
        "result, mask, _ = run(Path(sys.argv[1]), sys.argv[2])\n"
        "peak = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]\n"  # its own, not its parent's
        "print(peak, int((mask == 1).sum()))\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path), str(mosaic)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    peak_kb, hazard = (int(word) for word in ended.stdout.split())
    assert hazard == 700 * 500
    assert peak_kb < 1_500_000


WRITES_BESIDE_READING = """
import os, sys, threading
sys.path[:0] = ["tests/engine"]
import numpy as np
from osgeo import gdal
from scenes import write_raster
from engine.protocol import SceneJob
from engine.raster import Scene, Window
from engine.raster.output import Grid, Layer, RowWriter
folder, side, wide = sys.argv[1], 1600, 20000
write_raster(f"{folder}/plain.tif", np.random.default_rng(0).integers(0, 60, (3, side, side)).astype("u2"))
gdal.Translate(f"{folder}/scene.tif", f"{folder}/plain.tif", creationOptions=["TILED=YES", "COMPRESS=DEFLATE"])
def read():
    dataset = gdal.Open(f"{folder}/scene.tif")
    while True:
        for left in range(0, side - 700, 300):
            dataset.ReadAsArray(left, left, 700, 700)
with Scene(SceneJob(raster=f"{folder}/scene.tif")) as scene:
    gdal.SetCacheMax(4 << 20)  # less than the rows that are written at once
    threading.Thread(target=read, daemon=True).start()
    for turn in range(2):
        grid = Grid(scene.georeference, Window(0, 0, wide, side))
        writer = RowWriter(Layer(f"{folder}/{turn}.tif", "mask", {}, None), grid, "job")
        for top in range(0, side, 400):
            writer.write((np.arange(400 * wide).reshape(400, wide) % 7 == turn).astype("u1"))
        writer.finish({}, lambda share: None)
print("through", flush=True)
os._exit(0)
"""


def test_writing_never_waits_for_threads_that_wait_for_it(tmp_path):
    """GDAL's threads decode a scene while an output is written and the block cache is full: it stood still for ever."""
    words = [sys.executable, "-c", WRITES_BESIDE_READING, str(tmp_path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert ended.stdout.strip() == "through"


# A GPU, and what stands for one


class FakeCuda:
    """Streams and events that note what happens; copies are done at once."""

    def __init__(self):
        self.log = []
        cuda = self

        class Stream:
            def __init__(self, device=None):
                self.waited = []

            def wait_event(self, event):
                cuda.log.append(("computing waits for", event.number))

        class Event:
            count = 0

            def __init__(self):
                Event.count += 1
                self.number = Event.count

            def record(self, stream):
                cuda.log.append(("recorded", self.number))

            def synchronize(self):
                cuda.log.append(("waited for", self.number))

        self.Stream, self.Event, self.computing = Stream, Event, Stream()

    def current_stream(self, device=None):
        return self.computing

    def stream(self, stream):
        import contextlib

        return contextlib.nullcontext()


def test_memory_for_copies_is_used_again_only_when_the_copy_from_it_is_through():
    cuda = FakeCuda()
    transfers = Transfers(torch.device("cpu"), cuda, pin=False)
    waits = []
    for number, count in enumerate((2, 2, 2, 1, 2)):
        windows = [torch.full((3, 4, 5), float(10 * number + i)) for i in range(count)]
        waits.append(transfers.through(windows, lambda planes: planes.clone().mean((1, 2, 3))))
        if number >= 2:  # of the two parts of memory it takes the older one; each batch has two events
            assert ("waited for", 2 * (number - 2) + 1) in cuda.log
    for number, (wait, count) in enumerate(zip(waits, (2, 2, 2, 1, 2), strict=True)):
        assert wait().tolist() == [10 * number + i for i in range(count)]
        assert cuda.log[-1] == ("waited for", 2 * number + 2)
    order = [entry for entry in cuda.log if entry in (("recorded", 1), ("computing waits for", 1), ("recorded", 2))]
    assert order == [("recorded", 1), ("computing waits for", 1), ("recorded", 2)]


class OnFakeDevice(Predictor):
    """A predictor that takes the way of a GPU, on a CPU."""

    preparers = 3

    def __init__(self, *given):
        super().__init__(*given)
        self._transfers = Transfers(torch.device("cpu"), FakeCuda(), pin=False)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_way_over_a_device_of_its_own_gives_the_same_rows(tmp_path, batch_size):
    values = np.random.default_rng(1).uniform(0.1, 0.9, (1600, 1500)).astype("f4")
    values[:800, 700:] = np.nan
    raster = write_raster(tmp_path / "s.tif", values)
    job = job_for(raster, tmp_path)
    found = []
    for kind in (Predictor, OnFakeDevice):
        with Scene(job) as scene:
            task = task_of(scene, job)
            model = reflectance_model(tmp_path / "model")
            predictor = kind(model, "flood", task.scaling, torch.device("cpu"), batch_size, print)
            rows = [portion.probability for portion in predict_rows(task, scene, predictor, Report())]
            found.append(np.concatenate(rows))
    assert np.array_equal(*found, equal_nan=True)
    assert np.nanmax(np.abs(found[1] - values)) < 1e-4


def test_windows_got_ready_by_several_threads_come_in_order_and_end_with_what_goes_wrong(tmp_path):
    values = np.random.default_rng(2).uniform(0.1, 0.9, (1600, 1500)).astype("f4")
    raster = write_raster(tmp_path / "s.tif", values)
    job = job_for(raster, tmp_path)
    with Scene(job) as scene:
        task = task_of(scene, job)
        predictor = OnFakeDevice(
            reflectance_model(tmp_path / "model"), "flood", task.scaling, torch.device("cpu"), 2, print
        )
        threads = set()
        build = predictor.planes

        def seen(values, valid, out):
            threads.add(threading.current_thread().name)
            time.sleep(0.2 if not len(threads) % 2 else 0)
            return build(values, valid, out)

        predictor.planes = seen
        rows = [portion.probability for portion in predict_rows(task, scene, predictor, Report())]
        assert np.abs(np.concatenate(rows) - values).max() < 1e-4
        assert len(threads) > 1

        def failing_build(values, valid, out):
            raise DeviceFailed("cuda:0 failed (told).")

        predictor.planes = failing_build
        with pytest.raises(DeviceFailed, match="told"):
            list(predict_rows(task, scene, predictor, Report()))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("preparing")]


def test_planes_are_built_on_the_processor_where_the_memory_of_a_gpu_is_full(tmp_path):
    predictor, said = on_fake_device(tmp_path)
    values, valid = torch.rand((1, 1, 32, 32)), torch.ones((1, 1, 32, 32), dtype=torch.bool)
    expected = predictor.planes(values, valid, None)

    def full(values, valid, build):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    predictor._transfers.build = full
    assert torch.equal(predictor.planes(values, valid, None), expected)
    assert not said


def failing(predictor, *errors):
    """The network raises these, one a call, before it answers again."""
    waiting, answer = list(errors), predictor._network.hazard_logits

    def answer_or_fail(planes):
        if waiting:
            raise waiting.pop(0)
        return answer(planes)

    predictor._network.hazard_logits = answer_or_fail


def on_fake_device(tmp_path, batch_size=4):
    said = []
    scaling = SceneScaling(("green",), (0.0,), (0.5,), (True,))
    model = reflectance_model(tmp_path / "model")
    return OnFakeDevice(model, "flood", scaling, torch.device("cpu"), batch_size, said.append), said


def test_memory_that_runs_short_on_the_way_halves_the_batch(tmp_path):
    predictor, said = on_fake_device(tmp_path)
    planes = [torch.rand((4, 32, 32)) for _ in range(4)]
    expected = predictor.predict(planes)
    failing(predictor, torch.OutOfMemoryError("CUDA out of memory."))
    found = predictor.start(planes)()
    assert predictor.batch_size == 2 and len(said) == 1
    assert all(torch.allclose(one, two[0]) for one, two in zip(expected, found, strict=True))


def test_a_device_that_fails_is_told_with_its_remedy(tmp_path):
    predictor, _ = on_fake_device(tmp_path)
    predictor.device = torch.device("cuda:0")
    failing(predictor, RuntimeError("CUDA error: no kernel image is available\nCompile with..."))
    with pytest.raises(DeviceFailed, match=r"cuda:0 failed \(CUDA error: no kernel.*\); choose device cpu"):
        predictor.start([torch.rand((4, 32, 32))])


@pytest.mark.cuda
def test_a_gpu_gives_the_rows_that_the_processor_gives(tmp_path):
    values = np.random.default_rng(1).uniform(0.1, 0.9, (1600, 1500)).astype("f4")
    raster = write_raster(tmp_path / "s.tif", values)
    job = job_for(raster, tmp_path)
    found = []
    for name in ("cpu", "cuda"):
        with Scene(job) as scene:
            task = task_of(scene, job)
            model = reflectance_model(tmp_path / "model")
            predictor = Predictor(model, "flood", task.scaling, choose_device(name), None, print)
            rows = [portion.probability for portion in predict_rows(task, scene, predictor, Report())]
            found.append(np.concatenate(rows))
    assert np.abs(found[0] - found[1]).max() <= 0.005


@pytest.mark.cuda
def test_the_next_windows_are_sent_while_a_gpu_computes(tmp_path):
    from engine.model import load_model

    slots = ("blue", "green", "red", "nir", "swir1", "swir2")
    scaling = SceneScaling(slots, (0.0,) * 6, (0.5,) * 6, (True,) * 6)
    predictor = Predictor(load_model("unet"), "flood", scaling, torch.device("cuda:0"), 4, print)
    windows = [torch.rand((len(predictor._chosen), 768, 768)) for _ in range(4)]
    predictor.predict(windows)
    waiting = [predictor.start(windows) for _ in range(3)]
    expected = predictor.predict(windows)
    for wait in waiting:
        for (found,), other in zip(wait(), expected, strict=True):
            assert (found - other).abs().max() <= 0.005
