"""The user's models: import, export, delete, and the default of each hazard. Models are data, never code."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .cards import (
    CARD,
    CHECKSUMS,
    DEFAULTS,
    WEIGHTS,
    WEIGHTS_LIMIT_BYTES,
    ModelCard,
    bundled_folder,
    card_to_json,
    find_model,
    find_parent,
    is_bundled,
    is_name,
    list_models,
    read_card,
    read_checked,
    user_defaults,
    user_folder,
    validate_name,
    weights_digest,
)
from .leftovers import remove_leftovers
from .model_archive import read_header, renamed_errors, take_model
from .model_jobs import DefaultModelJob, DeleteModelJob, ExportModelJob, ImportModelJob
from .protocol import REPLACED, BadInput, OutputFailed, partial_path
from .reporting import Report

STALE_S = 6 * 3600
"""Age at which what an ended process left unfinished is removed."""
_UNFINISHED = re.compile(r"\.[A-Za-z0-9_-]{1,64}\.[0-9a-f]{12}\.(partial|gone)")
_REPLACED = re.compile(rf"\.([A-Za-z0-9_-]{{1,64}})\.[0-9a-f]{{12}}{re.escape(REPLACED)}")
"""A model that is being replaced: for a moment there is no other copy of it."""
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.I)
"""Names that Windows keeps for itself."""


def look_after(kind: str, job: Any, report: Report) -> dict[str, Any]:
    """Carry out a job of ``MODEL_JOBS`` and return its JSON value."""
    if kind == "import-model":
        return import_model(job, report)
    if kind == "export-model":
        return export_model(job, report)
    if kind == "delete-model":
        return delete_model(job)
    if kind == "default-model":
        return set_default(job)
    from .adopt import adopt_weights

    adopted: dict[str, Any] = adopt_weights(job, report)
    return adopted


def import_model(job: ImportModelJob, report: Report | None = None) -> dict[str, Any]:
    """Install a model from a folder or zip; nothing is visible before all of it was checked.

    Raises:
        BadInput: the package is unsafe, damaged or no model, its parent is missing, or the name is taken.
        Cancelled: the report said so; nothing was left behind.
    """
    report = report or Report()
    source = Path(os.path.abspath(os.path.expanduser(job.path)))
    report.stage("Reading the model")
    if job.name is not None:
        free_name(job.name, overwrite=job.overwrite)
    with staged(job.name or "model") as staging:

        def watch(share: float) -> None:
            report.check()
            report.progress(share, 0.0, 0.6)

        ignored = take_model(source, staging, watch)
        with renamed_errors(staging, source.name):
            card = read_card(staging)
            own_name = card.name
            is_settled = job.name is not None or job.overwrite
            if not is_settled:
                refuse_twin(card, staging)
            name = free_name(job.name or card.name, overwrite=job.overwrite) if is_settled else first_free(card.name)
            require_parent(card, staging)
            if find_parent(card, staging) == user_folder() / name:
                raise BadInput(f"The model was adapted from '{name}', which it would replace; give it another name.")
            report.stage("Checking the model", 0.6)
            require_fit(card, staging)
            if card.name != name:
                card = dataclasses.replace(card, name=name)
                seal(card, staging)
        report.stage("Installing the model", 0.95)
        warnings = [f"Left out: {left}." for left in ignored]
        if not is_settled and name != own_name:
            warnings.insert(0, f"The name '{own_name}' was taken.")
        return {**install(staging, name, card), "ignored": ignored, "warnings": warnings}


def export_model(job: ExportModelJob, report: Report | None = None) -> dict[str, Any]:
    """Pack a model into a zip.

    Raises:
        BadInput: there is no such model, it is damaged, or the zip exists or cannot be written.
    """
    report = report or Report()
    folder = find_model(job.model).resolve()
    card = read_card(folder)
    to = os.path.abspath(os.path.expanduser(job.to))
    if os.path.lexists(to) and not job.overwrite:
        raise OutputFailed(f"{to} exists; choose another name, or allow it to be replaced.")
    report.stage("Packing the model")
    contents = {
        CARD: read_checked(folder, CARD, WEIGHTS_LIMIT_BYTES),
        WEIGHTS: read_checked(folder, WEIGHTS, WEIGHTS_LIMIT_BYTES),
        CHECKSUMS: (folder / CHECKSUMS).read_bytes(),
    }
    report.check()
    remove_leftovers(to)
    partial = partial_path(to, report.job_id or uuid.uuid4().hex[:12])
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                report.check()
                archive.writestr(zipfile.ZipInfo(f"{folder.name}/{name}"), content, zipfile.ZIP_DEFLATED)
        os.replace(partial, to)
    except OSError as error:
        raise OutputFailed(f"{to} cannot be written ({error.strerror}); choose another folder.") from None
    finally:
        with contextlib.suppress(OSError):
            os.remove(partial)
    warnings = []
    parent = find_parent(card, folder)
    if parent is not None and not is_bundled(parent):
        warnings.append(f"It was adapted from '{parent.name}'; whoever imports it needs that model too.")
    return {"model": folder.name, "to": to, "bytes": os.path.getsize(to), "parent": card.parent, "warnings": warnings}


def delete_model(job: DeleteModelJob) -> dict[str, Any]:
    """Delete one of the user's models, and on request those adapted from it.

    Raises:
        BadInput: it is bundled, not installed, needed by others, or nobody said yes.
    """
    folder = own_folder(job.model)
    dependents = adapted_from(folder)
    if dependents and not job.with_adapted:
        raise BadInput(
            f"{named(dependents)} adapted from '{job.model}' and cannot be used without it; "
            "delete them too (--with-adapted), or keep it."
        )
    names = [*dependents, job.model]
    if not job.yes:
        raise BadInput(f"This would delete {', '.join(names)} in {user_folder()}; say --yes to do so.")
    freed = 0
    for name in names:
        freed += remove_model(user_folder() / name)
    chosen = {hazard: name for hazard, name in user_defaults().items() if name not in names}
    warnings = []
    if chosen != user_defaults():
        write_defaults(chosen)
        warnings.append("It was your default; the usual default is used again.")
    return {"deleted": names, "bytes": freed, "warnings": warnings}


def set_default(job: DefaultModelJob) -> dict[str, Any]:
    """Remember the user's default model of a hazard, or forget it.

    Raises:
        BadInput: there is no such model, or it does not know the hazard.
    """
    defaults = user_defaults()
    rows = list_models()
    if job.model is None:
        known = sorted({hazard for row in rows for hazard in row["hazards"]} | set(defaults))
        if job.hazard not in known:
            raise BadInput(f"Hazard '{job.hazard}' is in no model's card; use one of {', '.join(known)}.")
        defaults.pop(job.hazard, None)
    else:
        row = next((row for row in rows if row["name"] == job.model), None)
        if row is None:
            raise BadInput(f"Model '{job.model}' is not installed; use one of {', '.join(r['name'] for r in rows)}.")
        if job.hazard not in row["hazards"]:
            raise BadInput(
                f"Model '{job.model}' does not know the hazard '{job.hazard}'; choose one that it knows: "
                f"{', '.join(row['hazards'])}."
            )
        defaults[job.hazard] = job.model
    write_defaults(defaults)
    now = next((row["name"] for row in list_models() if job.hazard in row["default_for"]), None)
    return {"hazard": job.hazard, "model": now, "chosen": job.hazard in defaults, "warnings": []}


def write_defaults(defaults: Mapping[str, str]) -> None:
    """Write the user's defaults, complete or not at all."""
    path = user_folder() / DEFAULTS
    partial = path.with_name(f".{DEFAULTS}.{uuid.uuid4().hex[:12]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(dict(sorted(defaults.items())), indent=1) + "\n", "utf-8")
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise OutputFailed(f"{path} cannot be written ({error.strerror}); check the folder's permissions.") from None


@contextlib.contextmanager
def staged(name: str) -> Iterator[Path]:
    """A hidden empty folder beside the user's models, gone afterwards unless it was renamed."""
    home = user_folder()
    staging = home / f".{name}.{uuid.uuid4().hex[:12]}.partial"
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        staging.mkdir()
    except OSError as error:
        raise OutputFailed(f"{home} cannot be written to ({error.strerror}); check its permissions.") from None
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def free_name(name: str, *, overwrite: bool) -> str:
    """Return the name if a model can be installed under it; raise BadInput otherwise."""
    validate_name(name)
    if _DEVICES.fullmatch(name):
        raise BadInput(f"'{name}' is a name that Windows keeps for itself; give the model another one.")
    home = user_folder()
    for parent in (bundled_folder(), home):
        taken = [n for n in (os.listdir(parent) if parent.is_dir() else ()) if n.casefold() == name.casefold()]
        if parent != home and taken:
            raise BadInput(f"'{taken[0]}' comes with the program and is not replaced; give the model another name.")
        if taken and (not overwrite or taken[0] != name):
            raise BadInput(f"There is a model '{taken[0]}' already; give another name, or replace it.")
        if taken and adapted_from(home / name):
            raise BadInput(
                f"{named(adapted_from(home / name))} adapted from the model '{name}' that is there; "
                "give another name, or delete them first."
            )
    return name


def first_free(name: str) -> str:
    """The name, or the name with the first number that no model has."""
    for number in range(1, 1000):
        candidate = name if number == 1 else f"{name[:60]}-{number}"
        with contextlib.suppress(BadInput):
            return free_name(candidate, overwrite=False)
    return free_name(name, overwrite=False)


def refuse_twin(card: ModelCard, folder: Path) -> None:
    """Raise BadInput where the very same model is installed, under whatever name."""
    digest = weights_digest(folder)
    for row in list_models():
        if row["weights_sha256"] == digest and dataclasses.replace(read_card(row["path"]), name=card.name) == card:
            raise BadInput(f"This model is installed already, as '{row['name']}'.")


def require_parent(card: ModelCard, folder: Path) -> None:
    """Raise BadInput where an adapted model holds changes only and what they change is not installed."""
    if card.parent is None or find_parent(card, folder) is not None:
        return
    if set(read_header(folder / WEIGHTS)) >= set(_expected(card)):
        return
    raise BadInput(
        f"Model '{card.name}' was adapted from '{card.parent}' with weights {str(card.parent_sha256)[:12]}..., "
        "which is not installed; import that model first."
    )


def require_fit(card: ModelCard, folder: Path) -> None:
    """Raise BadInput unless the network of the card can be built and takes the weights.

    Shapes are compared before any network is filled, so that a card cannot ask for more memory than its weights have.
    """
    header = read_header(folder / WEIGHTS)
    expected = _expected(card)
    for name, (_, shape) in header.items():
        if name not in expected or expected[name] != shape:
            wanted = f"{expected[name]}" if name in expected else "no such weights"
            raise BadInput(
                f"Weights '{name[:80]}' of {folder} have the shape {shape}, its card's network has {wanted}; "
                "card and weights do not belong together."
            )
    if card.parent is None and set(header) != set(expected):
        lacking = sorted(set(expected) - set(header))[0]
        raise BadInput(f"{folder} lacks the weights '{lacking}' of its card's network; export the model again.")
    from .model import load_model, require_runs

    require_runs(load_model(str(folder)))


def _expected(card: ModelCard) -> dict[str, tuple[int, ...]]:
    from .model import shapes_of

    return shapes_of(card)


def seal(card: ModelCard, folder: Path) -> None:
    """Write a card beside the weights in ``folder`` and the checksums of both."""
    text = card_to_json(card).encode("utf-8")
    (folder / CARD).write_bytes(text)
    lines = []
    for name in (CARD, WEIGHTS):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        lines.append(f"{digest}  {name}\n")
    (folder / CHECKSUMS).write_text("".join(lines), "ascii")


def install(staging: Path, name: str, card: ModelCard) -> dict[str, Any]:
    """Rename a checked folder to the model's name; a model that was there goes only when the new one is there."""
    home = user_folder()
    folder, old = home / name, home / f".{name}.{uuid.uuid4().hex[:12]}{REPLACED}"
    try:
        if folder.exists():
            os.rename(folder, old)
        try:
            os.rename(staging, folder)
        except OSError:
            if old.exists():
                os.rename(old, folder)
            raise
    except OSError as error:
        raise OutputFailed(f"The model cannot be put into {folder} ({error.strerror}); is it in use?") from None
    shutil.rmtree(old, ignore_errors=True)
    return {
        "model": name,
        "path": str(folder),
        "title": card.title,
        "hazards": [card.adapted_for] if card.adapted_for else list(card.hazards),
        "adapted": card.parent is not None,
        "parent": card.parent,
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
    }


def own_folder(name: str) -> Path:
    """Folder of one of the user's installed models; raises BadInput for any other."""
    if is_name(name) and (bundled_folder() / name).is_dir():
        raise BadInput(f"'{name}' comes with the program and is not deleted.")
    if not is_name(name) or not os.path.lexists(user_folder() / name / CARD):
        own = [row["name"] for row in list_models() if not row["bundled"]]
        raise BadInput(f"'{name[:80]}' is none of your models; yours are: {', '.join(own) or 'none'}.")
    return user_folder() / name


def adapted_from(folder: Path) -> list[str]:
    """Names of the user's models that cannot be used without the model in ``folder``, nearest last.

    These hold only what differs from its weights, or from those of another such model, and no other has these weights.
    """
    rows = list_models()
    found: list[str] = []
    waiting = [(folder.name, weights_digest(folder))]
    while waiting:
        name, digest = waiting.pop()
        if digest is None or any(r["weights_sha256"] == digest and r["name"] not in (name, *found) for r in rows):
            continue
        for row in rows:
            if row["parent_sha256"] == digest and row["name"] not in (folder.name, *found) and not row["bundled"]:
                found.insert(0, row["name"])
                waiting.append((row["name"], row["weights_sha256"]))
    return found


def named(names: list[str]) -> str:
    """``'a' and 'b' were``."""
    return f"{' and '.join(repr(name) for name in names)} {'were' if len(names) > 1 else 'was'}"


def remove_model(folder: Path) -> int:
    """Take a model away, whole or not at all; returns the bytes freed. A link is taken away, not what it leads to."""
    try:
        if folder.is_symlink():
            folder.unlink()
            return 0
        _sweep(folder.parent)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        gone = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:12]}.gone")
        os.rename(folder, gone)
    except OSError as error:
        raise OutputFailed(f"{folder} cannot be deleted ({error.strerror}); is it in use?") from None
    shutil.rmtree(gone, ignore_errors=True)
    return size


def _sweep(home: Path) -> None:
    """Remove what processes that were killed left unfinished long ago; a model that one was replacing comes back."""
    for path in home.iterdir():
        if replaced := _REPLACED.fullmatch(path.name):
            with contextlib.suppress(OSError):
                if os.path.lexists(home / replaced[1]):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    os.rename(path, home / replaced[1])
        elif _UNFINISHED.fullmatch(path.name) and not path.is_symlink():
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > STALE_S:
                    shutil.rmtree(path, ignore_errors=True)
