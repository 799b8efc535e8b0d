"""Carries out runs of ``ablations.py --together`` that learn from the same batches, which are simulated once for all.

Each run is a thread that calls the engine's own ``pretrain`` or ``train``; what it learns is what it would learn alone
from these batches. Initial weights are those of a run alone, too: networks are built one after the other, each after
its own seed. Held-out scenes are simulated once, by several processes.

    python tests/benchmarks/together.py GROUP

GROUP is a JSON of ``ablations.Group``. ``--resume`` among a run's words goes on with it; the stream then begins where
the run that had come furthest stopped.
"""

import contextlib
import copy
import multiprocessing
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from ablations import Group, Run  # noqa: E402
from torch import Tensor  # noqa: E402

# What builds networks is imported where runs are carried out: processes that simulate import this module as well.
from engine.batches import (  # noqa: E402
    CHIPS_OF_SIMULATED_SCENE,
    LANES,
    SCENE_SIZE_PX,
    VALIDATION_SEED,
    SimulatedSource,
)
from engine.checkpoints import FILE  # noqa: E402
from engine.devices import choose_device  # noqa: E402
from engine.distributed import Ranks  # noqa: E402
from engine.prefetch import prefetched  # noqa: E402
from engine.protocol import BadInput, Cancelled, HazardError, LearningJob  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.simulate import draw_scene  # noqa: E402
from engine.simulate.chips import CHIP_SIZE_PX, Batch, cut_chips, join  # noqa: E402
from engine.simulate.fields import Draw  # noqa: E402

QUEUED = 3
"""Batches that wait for each run, at most: as far as one may be ahead of another."""
LOOK_S = 0.1
"""How often a run that waits for a batch looks whether it is to stop."""
TOLD_EVERY_S = 60.0
BATCH_OF_HELD_OUT = 8
"""Held-out scenes in a batch, as the engine joins them."""

Stream = Callable[[Report], AbstractContextManager[Iterator[Batch]]]
"""Opens batches that whoever cancels the report ends."""


class Tee:
    """Gives each of several runs all batches of one stream, in order; the slowest sets the pace, until it leaves.

    Runs must not change what they are given. With ``in_turns`` one works with its batch at a time: threads that all
    launch small kernels would spend their time on handing the interpreter to each other.

    Attributes:
        count: batches handed out.
    """

    def __init__(self, names: Iterable[str], queued: int = QUEUED, *, in_turns: bool = False) -> None:
        self.count = 0
        self._turn: AbstractContextManager[Any] = threading.Lock() if in_turns else contextlib.nullcontext()
        self._queued = queued
        self._waiting: dict[str, deque[Batch]] = {name: deque() for name in names}
        self._changed = threading.Condition()
        self._report = Report()
        self._thread: threading.Thread | None = None
        self._error: HazardError | None = None
        self._ended = False

    def start(self, stream: Stream) -> None:
        """Begin to take batches; only the first call does."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._feed, args=(stream,), name="tee", daemon=True)
                self._thread.start()

    def batches(self, name: str, report: Report) -> Generator[Batch, None, None]:
        """What a run gets; its report may cancel while it waits. Raises what the stream failed with."""
        waiting = self._waiting[name]
        while True:
            report.check()
            with self._changed:
                if not waiting and not self._ended:
                    self._changed.wait(LOOK_S)
                if waiting:
                    batch = waiting.popleft()
                    self._changed.notify_all()
                elif self._ended:
                    if self._error is not None:
                        raise copy.copy(self._error)  # each run its own: a traceback grows where it is raised
                    return
                else:
                    continue
            with self._turn:
                yield batch

    def leave(self, name: str) -> None:
        """A run wants no more; once no other does, the stream ends."""
        with self._changed:
            self._waiting.pop(name, None)
            if not self._waiting:
                self._report.cancelled.set()
            self._changed.notify_all()

    def close(self) -> None:
        """End the stream, and wait until it has ended."""
        for name in list(self._waiting):
            self.leave(name)
        if self._thread is not None:
            self._thread.join()

    def _feed(self, stream: Stream) -> None:
        try:
            with stream(self._report) as batches:
                for batch in batches:
                    if not self._hand_out(batch):
                        break
        except Cancelled:  # all have left
            pass
        except HazardError as error:
            self._error = error
        except Exception as error:  # whatever ends this thread must end the runs, or they wait for ever
            self._error = HazardError(f"The batches ended ({type(error).__name__}: {error}).")
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _hand_out(self, batch: Batch) -> bool:
        """Whether anybody is there to take it."""
        with self._changed:
            self._changed.wait_for(lambda: all(len(waiting) < self._queued for waiting in self._waiting.values()))
            for waiting in self._waiting.values():
                waiting.append(batch)
            self.count += bool(self._waiting)
            self._changed.notify_all()
            return bool(self._waiting)


class HeldOut:
    """Chips of held-out scenes, simulated once by ``workers`` processes (in place where 0), for whoever asks.

    Args:
        workers: processes; they start at once, and end with ``close``.
        most: scenes, whatever a run's length asks for; all of them where None.
        name: to tell of it.
    """

    def __init__(self, workers: int, most: int | None = None, name: str = "") -> None:
        self._most, self._name = most, name
        self._lock = threading.Lock()
        self._chips: list[Batch] = []
        self._batches: dict[int, list[Batch]] = {}
        self._pool: ProcessPoolExecutor | None = None
        if workers:
            spawned = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, spawned, initializer=_become_simulator)
            for _ in range(workers):
                self._pool.submit(_nothing)

    def batches(self, source: SimulatedSource, scenes: int) -> list[Batch]:
        """As ``SimulatedSource.validation`` gives them; ``source`` must be alike in all calls."""
        count = min(scenes, self._most or scenes)
        with self._lock:
            if count not in self._batches:
                self._simulate(replace(source, _kept={}), range(len(self._chips), count))
                starts = range(0, count, BATCH_OF_HELD_OUT)
                parts = self._chips[:count]
                self._batches[count] = [join(parts[start : start + BATCH_OF_HELD_OUT]) for start in starts]
            return self._batches[count]

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _simulate(self, source: SimulatedSource, numbers: range) -> None:
        began = time.monotonic()
        if self._pool is None:
            self._chips += [held_out_chips(source, number) for number in numbers]
        else:
            for arrays in self._pool.map(_held_out_arrays, [source] * len(numbers), numbers):
                self._chips.append(Batch(**{name: torch.from_numpy(values) for name, values in arrays.items()}))
        if numbers:
            took = time.monotonic() - began
            print(f"{self._name}: {len(numbers)} held-out scenes simulated in {took:.1f} s", flush=True)


def held_out_chips(source: SimulatedSource, number: int) -> Batch:
    """Chips of one held-out scene, as ``SimulatedSource.validation`` cuts them."""
    scene = draw_scene(VALIDATION_SEED + number, SCENE_SIZE_PX, without=source.leave_out)
    draw = Draw(VALIDATION_SEED - 1 - number, 8)
    return source.as_taught(cut_chips(scene, draw, CHIPS_OF_SIMULATED_SCENE, CHIP_SIZE_PX, source.all_bands))


def _held_out_arrays(source: SimulatedSource, number: int) -> dict[str, Any]:
    """The same as arrays: each tensor would take a file descriptor on its way between processes."""
    chips = held_out_chips(source, number)
    return {name: value.numpy().copy() for name, value in vars(chips).items() if isinstance(value, Tensor)}


def _become_simulator() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the program, which ends its processes itself
    torch.set_num_threads(1)


def _nothing() -> None:
    """Makes a process start."""


class Shared:
    """What stands in the engine's places while a group's runs are carried out.

    Args:
        tee: of the runs' names.
        held_out: scenes that validate.
        workers: processes that simulate batches.
        first_step: at which the stream begins.
        ranks: the device that batches are meant for.
    """

    def __init__(self, tee: Tee, held_out: HeldOut, workers: int, first_step: int, ranks: Ranks) -> None:
        self._tee, self._held_out, self._workers = tee, held_out, workers
        self._first_step, self._ranks = first_step, ranks
        self._source: SimulatedSource | None = None
        self._lock = threading.Lock()
        self._building = threading.RLock()
        self._run = threading.local()

    @contextlib.contextmanager
    def run(self, name: str) -> Iterator[None]:
        """What this thread does meanwhile is done for this run, which leaves the tee in the end."""
        self._run.name = name
        try:
            yield
        finally:
            self._tee.leave(name)
            with contextlib.suppress(RuntimeError):  # it is not held, unless the run failed while it built
                self._building.release()

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """The engine's runs take batches, held-out scenes and turns at building from here."""
        from engine import pretrain, train

        def validation(source: SimulatedSource, scenes: int, report: Report) -> list[Batch]:
            self._begin(source)  # processes start, and prepare, while held-out scenes are simulated
            return self._held_out.batches(source, scenes)

        with ExitStack() as stack:
            for module in (pretrain, train):
                stack.enter_context(patch.object(module, "prefetched", self._prefetched))
                stack.enter_context(patch.object(module, "new_card", self._new_card(module.new_card)))
                stack.enter_context(patch.object(module, "build_to_train", self._build_to_train(module.build_to_train)))
            stack.enter_context(patch.object(train, "load_model", self._load_model(train.load_model)))
            stack.enter_context(patch.object(SimulatedSource, "validation", validation))
            yield

    @contextlib.contextmanager
    def _prefetched(
        self, source: SimulatedSource, first_step: int, workers: int, report: Report, ranks: Ranks
    ) -> Iterator[Iterator[Batch]]:
        self._begin(source)
        with contextlib.closing(self._tee.batches(self._run.name, report)) as batches:
            yield batches

    def _begin(self, source: SimulatedSource) -> None:
        alike = replace(source, _kept={})
        with self._lock:
            if self._source is None:
                self._source = alike
            elif self._source != alike:
                raise BadInput(f"{self._run.name} learns from {alike}, others of its group from {self._source}.")
        self._tee.start(lambda report: prefetched(alike, self._first_step, self._workers, report, self._ranks))

    def _new_card(self, new_card: Callable[..., Any]) -> Callable[..., Any]:
        """Followed by the seed and by ``build_to_train``: no other thread may draw numbers until that is through."""

        def with_turn(*given: Any) -> Any:
            self._building.acquire()
            return new_card(*given)

        return with_turn

    def _build_to_train(self, build: Callable[..., Any]) -> Callable[..., Any]:
        def ends_turn(*given: Any) -> Any:
            try:
                return build(*given)
            finally:
                self._building.release()

        return ends_turn

    def _load_model(self, load: Callable[..., Any]) -> Callable[..., Any]:
        """Draws numbers, too, before it reads weights."""

        def in_turn(*given: Any) -> Any:
            with self._building:
                return load(*given)

        return in_turn


def without_repeats(workers: int) -> int:
    """As many processes, at most, as share the lanes of scenes so that none makes what another one does."""
    return max((count for count in range(1, min(workers, LANES) + 1) if LANES % count == 0), default=0)


def job_of(run: Run) -> LearningJob:
    """The engine's job; raises BadInput for words that cannot be one."""
    from engine.__main__ import build_parser, read_job

    job: LearningJob = read_job(run.words[0], build_parser().parse_args(list(run.words)))
    return job


def step_reached(job: LearningJob) -> int:
    """Step of the checkpoint that the job goes on from; 0 without a good one."""
    if not job.resume:
        return 0
    try:
        content = torch.load(Path(job.save) / FILE, map_location="cpu", weights_only=True)
        return int(content["state"]["run"]["step"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError):
        return 0  # the run itself says what is wrong


def learn(run: Run, job: LearningJob, shared: Shared, cancelled: threading.Event) -> bool:
    """Carry out one run and tell of its end; whether it made a model."""
    from engine.cards import read_card
    from engine.pretrain import pretrain
    from engine.train import train

    def log(level: str, text: str) -> None:
        if level == "warning":
            print(f"{run.name}: {text}", flush=True)

    carry_out: Callable[..., dict[str, Any]] = pretrain if run.words[0] == "pretrain" else train
    with shared.run(run.name):
        try:
            result = carry_out(job, Report(on_log=log, cancelled=cancelled))
        except HazardError as error:
            print(f"{run.name}: {error}", flush=True)
            return False
    waited = "–" if result["waited"] is None else f"{result['waited']:.0%}"
    best = read_card(Path(result["path"])).training["validation"]
    told = ", ".join(f"{name.removeprefix('validation_').replace('_', ' ')} {best[name]:.4g}" for name in best)
    print(
        f"{run.name}: {result['steps']} steps in {result['seconds']:.0f} s, waited {waited}; best validation at step "
        f"{result['best_step']}: {told}",
        flush=True,
    )
    return True


def carry_out(group: Group) -> bool:
    """All runs of a group at once; whether each made a model."""
    jobs = [job_of(run) for run in group.runs]
    ranks = Ranks(device=choose_device(jobs[0].device))
    cap = "" if group.validation_scenes is None else f", {group.validation_scenes} held-out scenes at most"
    workers = without_repeats(group.workers)
    print(f"{group.name}: {len(jobs)} runs on {ranks.device}, {workers} processes simulate{cap}", flush=True)
    cancelled = threading.Event()
    tee = Tee((run.name for run in group.runs), in_turns=ranks.device.type == "cuda")
    with ExitStack() as stack:
        held_out = HeldOut(group.workers, group.validation_scenes, group.name)
        stack.callback(held_out.close)
        stack.callback(tee.close)
        shared = Shared(tee, held_out, workers, max(map(step_reached, jobs)), ranks)
        stack.enter_context(shared.in_place())
        threads = stack.enter_context(ThreadPoolExecutor(len(jobs)))
        runs = [threads.submit(learn, run, job, shared, cancelled) for run, job in zip(group.runs, jobs, strict=True)]
        try:
            _wait(group.name, runs, tee)
        except KeyboardInterrupt:
            cancelled.set()
            wait(runs)
            raise
    return all([_made_a_model(run) for run in runs])


def _wait(name: str, runs: list[Future[bool]], tee: Tee) -> None:
    """Tell of the pace until all runs have ended."""
    began = at = time.monotonic()
    counted, going_on = 0, True
    while going_on:
        going_on = bool(wait(runs, timeout=TOLD_EVERY_S).not_done)
        now, count = time.monotonic(), tee.count
        pace = f"{(count - counted) / (now - at):.2f} a second"
        print(f"{name}: {count} batches in {now - began:.0f} s, {pace} of late", flush=True)
        counted, at = count, now


def _made_a_model(run: Future[bool]) -> bool:
    error = run.exception()
    if error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
    return error is None and run.result()


def main() -> int:
    """Command line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return 0 if carry_out(Group.from_json(sys.argv[1])) else 1
    except HazardError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
