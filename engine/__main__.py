"""The command line, ``python -m engine COMMAND``; every option is a field of the command's job."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, get_type_hints

from . import __version__
from .delivery_jobs import DELIVERY_JOBS
from .fields import is_remote
from .heap import bound_heap
from .leftovers import own_job_id
from .model_jobs import MODEL_JOBS
from .protocol import JOBS, QUICK_JOBS, BadInput, Cancelled, HazardError
from .reporting import Report

STARTED = time.monotonic()
"""Of the program, before the libraries that take seconds to load."""
FIRST_SHARE = 0.03
"""Share done at which an operation has checked its input."""
EXIT_DONE, EXIT_INTERNAL, EXIT_BAD_INPUT, EXIT_CANCELLED = 0, 1, 2, 130


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error of the program."""

    def error(self, message: str) -> NoReturn:
        """Print one line and end with the exit code for bad input."""
        self.exit(EXIT_BAD_INPUT, " ".join(f"{message}; see {self.prog} --help".split()) + "\n")


def build_parser() -> OneLineParser:
    """Parser with one command a kind of job, made from the jobs' own definitions."""
    parser = OneLineParser(
        prog="python -m engine",
        description="Hazard Mapper's engine: maps floods, landslides and glacier collapses in satellite scenes.",
        epilog="Exit codes: 0 done, 1 internal error, 2 bad input (one line on stderr), 130 cancelled.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Hazard Mapper engine {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for kind, definition in JOBS.items():
        summary = (definition.__doc__ or "").strip().splitlines()[0]
        command = commands.add_parser(kind, help=summary, description=summary, allow_abbrev=False)
        for spec in dataclasses.fields(definition):
            _add_option(command, spec, get_type_hints(definition)[spec.name] is bool)
        command.add_argument("--json", action="store_true", help="print the result as one JSON value and nothing else")
    summary = "Carry out jobs from standard input, one JSON message a line, until it ends (used by QGIS)."
    commands.add_parser("worker", help=summary, description=summary, allow_abbrev=False)
    return parser


def _add_option(command: argparse.ArgumentParser, spec: dataclasses.Field[Any], is_switch: bool) -> None:
    meta = spec.metadata
    flag = "--" + (meta["flag"] or spec.name.replace("_", "-"))
    if meta["positional"]:
        name, of = meta["metavar"] or spec.name.upper(), f": {', '.join(meta['choices'])}" if meta["choices"] else ""
        command.add_argument(spec.name, choices=meta["choices"], metavar=name, help=meta["help"] + of)
        return
    if is_switch:
        command.add_argument(flag, action="store_true", help=meta["help"])
        return
    command.add_argument(
        flag,
        dest=spec.name,
        metavar=meta["metavar"] if not meta["choices"] else None,
        required=bool(meta["required"]),
        choices=meta["choices"],
        default=argparse.SUPPRESS,
        help=meta["help"],
    )


def join_values(arguments: Sequence[str], parser: argparse.ArgumentParser) -> list[str]:
    """Write ``--extent -70,1,2,3`` as ``--extent=-70,1,2,3``, which argparse would take for another option."""
    takes_value = {
        flag
        for group in parser._subparsers._group_actions  # type: ignore[union-attr]
        for command in (group.choices or {}).values()  # type: ignore[union-attr]
        for action in command._actions
        for flag in action.option_strings
        if action.nargs is None
    }
    joined: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word in takes_value and waiting and not waiting[0].startswith("--"):
            word = f"{word}={waiting.pop(0)}"
        joined.append(word)
    return joined


def read_job(kind: str, options: argparse.Namespace) -> Any:
    """Options to a job; raises BadInput for values that cannot be."""
    values: dict[str, Any] = {}
    for spec in dataclasses.fields(JOBS[kind]):
        if spec.name not in options:
            continue
        value = getattr(options, spec.name)
        parse = spec.metadata["parse"]
        if parse is not None and isinstance(value, str):
            try:
                value = parse(value)
            except BadInput:
                raise
            except ValueError:
                flag = spec.metadata["flag"] or spec.name.replace("_", "-")
                raise BadInput(f"--{flag} is '{value}'; expected a number.") from None
        values[spec.name] = value
    return JOBS[kind](**values)


def run_job(kind: str, job: Any, report: Report, models: dict[str, Any] | None = None) -> Any:
    """Carry out a job of any kind and return its JSON value.

    Only a job that itself names something on the network may reach it; files that it names lead nowhere.
    """
    named = any(isinstance(value, str) and is_remote(value) for value in vars(job).values())
    if named or getattr(job, "remote", False):
        from .raster.network import open_network

        with open_network():
            return _run_job(kind, job, report, models)
    return _run_job(kind, job, report, models)


def _run_job(kind: str, job: Any, report: Report, models: dict[str, Any] | None) -> Any:
    """Carry out a job; imports what it needs only now, so that help is quick."""
    if kind == "models":
        from .cards import list_models

        return list_models()
    if kind == "inspect":
        from .inspect_scene import inspect_scene

        return inspect_scene(job)
    if kind == "evaluate":
        from .evaluate import evaluate

        return evaluate(job, report)
    if kind == "devices":
        from .devices import list_devices

        return list_devices()
    if kind == "adapt":
        from .adapt import adapt

        return adapt(job, report, models)
    if kind == "simulate":
        from .contact_sheet import simulate

        return simulate(job, report)
    if kind == "pretrain":
        from .pretrain import pretrain

        return pretrain(job, report)
    if kind == "train" and job.before:
        from .before.training import train_branch

        return train_branch(job, report)
    if kind == "train":
        from .train import train

        return train(job, report)
    if kind == "scorecard":
        from .scorecard import scorecard

        return scorecard(job, report)
    if kind == "download":
        from .download import download

        return download(job, report)
    if kind == "archive":
        from .archive import archive

        return archive(job, report)
    if kind in DELIVERY_JOBS:
        from .delivery import deliver

        return deliver(kind, job, report)
    if kind in MODEL_JOBS:
        from .model_store import look_after

        return look_after(kind, job, report)
    from .segment import segment

    return segment(job, report, models)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Read when torch is first imported: threads that wait by spinning take the cores from reading and from QGIS.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    bound_heap()
    parser = build_parser()
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(join_values(words, parser))
    if options.command == "worker":
        from .worker import serve

        return serve()
    cancelled = threading.Event()

    def stop(number: int, frame: Any) -> None:
        if cancelled.is_set():  # asked twice: do not wait for the next window
            raise KeyboardInterrupt
        cancelled.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        job = read_job(options.command, options)
        line = ProgressLine()
        report = Report(line, line.log, cancelled, own_job_id(), line.metrics)
        report.began = STARTED
        result = run_job(options.command, job, report)
        if cancelled.is_set() and options.command in QUICK_JOBS:
            raise Cancelled("Cancelled.")
    except Cancelled as error:
        return _fail(str(error), EXIT_CANCELLED)
    except KeyboardInterrupt:
        return _fail("Cancelled; nothing was written.", EXIT_CANCELLED)
    except BadInput as error:
        return _fail(str(error), EXIT_BAD_INPUT)
    except HazardError as error:
        return _fail(str(error), EXIT_INTERNAL)
    except Exception as error:  # the last resort: one line, and the traceback for whoever asks for it
        if os.environ.get("HAZARD_DEBUG"):
            raise
        place = f"{type(error).__name__}: {error}".splitlines()[0]
        return _fail(f"Internal error ({place}); set HAZARD_DEBUG=1 for details and report it.", EXIT_INTERNAL)
    if result == {}:  # one of several processes, another of which tells
        return EXIT_DONE
    try:
        print(json.dumps(result, allow_nan=False) if options.json else describe(options.command, result), flush=True)
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):  # what could not be written would be tried again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail(f"The result could not be printed ({error.strerror}).", EXIT_INTERNAL)
    for warning in result.get("warnings", []) if isinstance(result, dict) and not options.json else []:
        print(f"Note: {warning}", file=sys.stderr)
    return EXIT_DONE


def run_program() -> int:
    """Run as a program of its own: only the engine speaks on standard output and error, no library does."""
    if sys.argv[1:2] != ["worker"] and not os.environ.get("HAZARD_DEBUG"):
        warnings.simplefilter("ignore")
        streams = []
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            stream.flush()
            streams.append(
                os.fdopen(os.dup(number), "w", encoding=stream.encoding, errors="backslashreplace", buffering=1)
            )
        sys.stdout, sys.stderr = streams
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.close(silence)
    return main()


def _fail(message: str, code: int) -> int:
    if message:  # else another of several processes tells
        print(" ".join(message.split()), file=sys.stderr)
    return code


class ProgressLine:
    """Shows progress on stderr: in place on a terminal, else a line every few seconds once the input was found good."""

    EVERY_S = 5.0
    METRICS_EVERY_S = 30.0

    def __init__(self) -> None:
        self._last = self._last_metrics = time.monotonic()

    def __call__(self, stage: str, share: float, seconds_left: float | None) -> None:
        """Show how far the job is."""
        left = f", {seconds_left:.0f} s left" if seconds_left is not None else ""
        text = f"{stage} {share:4.0%}{left}"
        if sys.stderr.isatty():
            print(f"\r{text:<60}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
        elif share >= FIRST_SHARE and time.monotonic() - self._last > self.EVERY_S:
            self._last = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def log(self, level: str, text: str) -> None:
        """Show a line worth keeping; warnings of a result are shown with it, at the end."""
        if level == "info":
            print(f"\r{text:<60}" if sys.stderr.isatty() else text, file=sys.stderr, flush=True)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Show losses and scores of a training step: every validation, and the loss now and then."""
        validated = any(name.startswith("validation") for name in values)
        if validated or time.monotonic() - self._last_metrics > self.METRICS_EVERY_S:
            self._last_metrics = time.monotonic()
            told = "  ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items())
            self.log("info", f"step {step}  {told}")


def describe(kind: str, result: Any) -> str:
    """Result of a command as text for people."""
    describers: dict[str, Callable[[Any], str]] = {
        "models": _describe_models,
        "inspect": _describe_scene,
        "segment": _describe_mask,
        "adapt": _describe_adapted,
        "scorecard": _describe_scores,
        "pretrain": _describe_training,
        "train": _describe_training,
        "simulate": _describe_simulated,
        "download": _describe_download,
        "provenance": _describe_origin,
        "archive": _describe_archive,
    }
    if kind in describers:
        return describers[kind](result)
    if isinstance(result, list):
        return "\n".join("  ".join(f"{key} {value}" for key, value in row.items()) for row in result)
    return "\n".join(
        f"{key:<18} {value:.4f}" if isinstance(value, float) else f"{key:<18} {value}" for key, value in result.items()
    )


def _describe_simulated(found: dict[str, Any]) -> str:
    count = len(found["scenes"])
    return f"{count} scene{'s' if count != 1 else ''} in {found['folder']}; look at {found['contact_sheet']}"


def _describe_download(found: dict[str, Any]) -> str:
    lines = [f"{found['dataset']}: {len(found['files'])} files, {found['bytes'] / 1e9:.1f} GB in {found['folder']}"]
    return "\n".join([*lines, *(f"next: {command}" for command in found["next"])])


def _describe_origin(found: dict[str, Any]) -> str:
    left_out = ("job", "tags", "adaptation", "areas_by_percent_m2", "steps")
    lines = [f"{key:<18} {value}" for key, value in found.items() if key not in left_out and value is not None]
    if found["adaptation"]:
        lines.append(f"{'adaptation':<18} {found['adaptation'].get('reason')}")
    lines += [f"{'then':<18} {step['kind']}" for step in found["steps"]]
    return "\n".join(lines)


def _describe_archive(found: dict[str, Any]) -> str:
    lines = [f"failed {failure['scene']}: {failure['reason']}" for failure in found["failures"]]
    return "\n".join(
        [
            f"{found['scenes']} scenes: {found['done']} done, {found['skipped']} complete before, {found['failed']} "
            f"failed, in {found['seconds']:.1f} s",
            *lines,
            f"table {found['table']}",
        ]
    )


def _describe_training(found: dict[str, Any]) -> str:
    lines = [
        f"{found['model']}: {found['architecture']} with encoder {found['encoder']}, {found['steps']} steps in "
        f"{found['seconds']:.0f} s on {found['device']} ({found['ended']}), best at step {found['best_step']}",
        f"validation loss {found['validation_loss']}, balanced accuracy {found['validation_score']}",
    ]
    if found["waited"] is not None:
        lines.append(
            f"utilisation {1 - found['waited']:.1%}: waited {found['waited']:.1%} of the time of learning for data"
        )
    lines += [
        f"{row['hazard']:<18} IoU {row['iou']}  balanced accuracy {row['balanced_accuracy']}  "
        f"threshold {row['threshold']}  ({row['set']})"
        for row in found.get("scores", ())
    ]
    return "\n".join([*lines, f"model {found['path']}"])


def _describe_scores(rows: list[dict[str, Any]]) -> str:
    from .score_table import text_tables

    return text_tables(rows)


def _describe_models(rows: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{row['name']:<16} {row['title']}  [{', '.join(row['hazards'])}]  "
        f"{'not scored' if row['score'] is None else format(row['score'], '.3f')}"
        for row in rows
    )


def _describe_scene(found: dict[str, Any]) -> str:
    lines = [f"{found['width']} x {found['height']} pixels, {found['gsd_m']} m, CRS {found['crs']}"]
    lines += [
        f"band {b['index']}: {b['slot'] or 'not used'}  ({b['description'] or 'no name'})" for b in found["bands"]
    ]
    lines.append(f"units {found['units']}, sensor {found['sensor']}, nodata {found['nodata']}")
    return "\n".join(lines)


def _describe_adapted(found: dict[str, Any]) -> str:
    lines = [found["reason"]]
    lines += [
        f"{row['stage']:<24} proxy {row['proxy']:.3f}  area {row['area_m2'] / 1e6:.3f} km2  "
        f"threshold {row['threshold']:.2f}  {row['reason']}"
        for row in found["stages"]
    ]
    return "\n".join([*lines, f"model {found['path']} ({found['seconds']:.1f} s on {found['device']})"])


def _describe_mask(found: dict[str, Any]) -> str:
    what, was = found["hazard"], found["permanent_area_m2"]
    if found["question"] == "new":
        what = f"new {what} since {found['before_date'] or found['before_name']}"
    there = "" if was is None else f"; {was / 1e6:.3f} km2 of water on both dates"
    return (
        f"{what}: {found['hazard_area_m2'] / 1e6:.3f} km2{there}, {found['share_assessed']:.1%} assessed, "
        f"{found['seconds']:.1f} s on {found['device']} with {found['model']} (threshold {found['threshold']:g})\n"
        f"mask {found['mask']}" + (f"\nprobability {found['probability']}" if found["probability"] else "")
    )


if __name__ == "__main__":
    sys.exit(run_program())
