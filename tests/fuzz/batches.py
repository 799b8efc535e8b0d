"""Runs cases by number in processes of their own, so that crashes, hangs and memory are seen, and judges their ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import select
import shutil
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.__main__ import main as run_engine

BATCH = 40
LONGEST_S = 20.0
PROGRESS = re.compile(r"[A-Z][a-z ]+ {1,4}[0-9]{1,3}%")
MOST_MEMORY_MB = 2500
"""Memory that one case may add; the netCDF library alone may take 1.6 GB to refuse a file."""


@dataclass(frozen=True)
class Outcome:
    """How one case ended: ``fault`` is empty if as it should."""

    number: int
    base: str
    command: str
    code: int | None
    seconds: float
    fault: str
    said: str = ""


@dataclass(frozen=True)
class Topic:
    """Cases of one kind.

    ``prepare`` makes sound files to begin with, without torch; ``begin`` is called once in each process, as a context;
    ``run`` carries out one case, which follows from its number alone.
    """

    name: str
    count: int
    prepare: Callable[[Path], Any]
    begin: Callable[[Any, Path], contextlib.AbstractContextManager[Any]]
    run: Callable[[int, Any, Path, Any], Outcome]
    batch: int = BATCH
    longest_s: float = LONGEST_S


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (None for an exception), lines on stderr, text on stdout."""

    code: int | None
    lines: tuple[str, ...]
    stdout: str
    seconds: float

    def fault(self, *, most_lines: int = 1) -> str:
        """What is wrong with it; empty if it was a result, or one sentence."""
        if self.code not in (0, 2):
            return f"exit code {self.code}"
        if self.code == 2 and (len(self.lines) != most_lines or self.stdout):
            return f"{len(self.lines)} lines on stderr"
        return ""

    @property
    def said(self) -> str:
        """What was said, in short."""
        return " / ".join(self.lines)[:300]


def run_command(words: Sequence[str]) -> Ended:
    """Run one command of the engine in this process."""
    began = time.monotonic()
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # as the program does when it starts
        try:
            code: int | None = run_engine(list(words))
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException as error:
            code, _ = None, stderr.write(f"{type(error).__name__}: {error}\n")
    lines = tuple(line for line in stderr.getvalue().splitlines() if line.strip() and not PROGRESS.match(line))
    return Ended(code, lines, stdout.getvalue(), time.monotonic() - began)


def unfinished(folder: Path) -> list[str]:
    """Names under a folder that no complete output has."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.startswith(".") or ".partial" in path.name or path.name.endswith(("-wal", "-journal"))
    )


def clear(folder: Path) -> None:
    """Leave a folder there, and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def quiet_torch() -> None:
    """Bring in torch with one thread; what libraries print goes nowhere."""
    import torch

    torch.set_num_threads(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    os.close(silence)


@contextlib.contextmanager
def loaded_model() -> Iterator[None]:
    """The bundled U-Net at hand, so that no case waits for it."""
    import engine.segment as segment_module
    from engine.model import load_model

    quiet_torch()
    model = load_model("unet")
    segment_module.load_model = lambda name: model
    yield


def limit_memory() -> None:
    """Let this process take 4 GB more than it has."""
    if os.path.exists("/proc/self/statm"):
        used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
        most = resource.getrlimit(resource.RLIMIT_AS)[1]  # programs that it starts have a limit of their own
        resource.setrlimit(resource.RLIMIT_AS, (used + 4 * 2**30, most))


def _run_batch(topic: Topic, numbers: list[int], bases: Any, folder: Path, pipe: int) -> None:
    """In a process of its own: one line when a case begins and one when it has ended."""
    with topic.begin(bases, folder) as state:
        limit_memory()
        for number in numbers:
            os.write(pipe, f"{number}\n".encode())
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            outcome = topic.run(number, bases, folder, state)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            fault = outcome.fault or (f"{grown:.0f} MB of memory" if grown > MOST_MEMORY_MB else "")
            os.write(pipe, (json.dumps({**outcome.__dict__, "fault": fault}) + "\n").encode())
            if not fault:
                for path in folder.glob(f"m{number}.*"):
                    path.unlink()


def run_batch(topic: Topic, numbers: list[int], bases: Any, folder: Path) -> list[Outcome]:
    """Run cases in a child process; those that crash or hang it become outcomes too, and the others go on."""
    outcomes: list[Outcome] = []
    waiting = list(numbers)
    while waiting:
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(receive)
                _run_batch(topic, waiting, bases, folder, send)
                code = 0
            except Exception:
                Path(folder / "could-not-run.txt").write_text(traceback.format_exc())
            finally:
                os._exit(code)
        os.close(send)
        running, buffer, hung = None, b"", False
        while True:
            if not select.select([receive], [], [], topic.longest_s + 40 * (running is None))[0]:
                os.kill(child, signal.SIGKILL)
                hung = True
                break
            part = os.read(receive, 65536)
            if not part:
                break
            buffer += part
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                if line.startswith(b"{"):
                    outcomes.append(Outcome(**json.loads(line)))
                    with open(folder / "outcomes.jsonl", "ab") as told:  # for whoever does not wait for the end
                        told.write(line + b"\n")
                    waiting.remove(outcomes[-1].number)
                    running = None
                else:
                    running = int(line)
        os.close(receive)
        _, status = os.waitpid(child, 0)
        if running is None and waiting:
            why = folder / "could-not-run.txt"
            raise RuntimeError(f"The batch could not begin: {why.read_text() if why.exists() else status}.")
        if running is not None:
            fault = f"no end within {topic.longest_s:.0f} s" if hung else f"ended by signal {status & 127}"
            outcomes.append(Outcome(running, "", "", None, topic.longest_s if hung else 0.0, fault))
            waiting.remove(running)
            shutil.rmtree(folder / "out", ignore_errors=True)
    return outcomes


def fuzz(topic: Topic, first: int, count: int, folder: Path) -> list[Outcome]:
    """Run cases ``first`` to ``first + count``; files of faulty ones stay in ``folder``."""
    clear(folder / "bases")
    bases = topic.prepare(folder / "bases")
    outcomes: list[Outcome] = []
    for start in range(first, first + count, topic.batch):
        outcomes += run_batch(topic, list(range(start, min(start + topic.batch, first + count))), bases, folder)
    return outcomes
