"""Write simulated scenes as files, and one picture of all of them to look at."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from .protocol import HAZARDS, OPTICAL_SLOTS, SAR_SLOTS, BadInput, OutputFailed, SimulateJob
from .raster import write_simulated_labels, write_simulated_scene
from .reporting import Report
from .simulate import HAZARDS as LABEL_PLANES
from .simulate import SimulatedScene, compose_scene, seen_labels

KINDS = (*HAZARDS, "none")
FILES = ("optical", "radar", "labels")
SCENE_FILE = re.compile(rf"\d{{3,}}_({'|'.join(KINDS)})_({'|'.join(FILES)})\.tif")
VIEW_PX = 256
MARGIN_PX, TEXT_PX, TITLE_PX = 8, 34, 40
SHEET = "contact_sheet.png"
TABLE = "scenes.json"
COLOURS = {"flood": (31, 120, 220), "landslide": (230, 97, 1), "glacier_collapse": (152, 46, 158)}
ARTIFICIAL = (0, 158, 115)
"""No grey: clouds, snow and bare ground are."""
HIDDEN = (250, 240, 120)
VIEWS = ("natural colour", "short-wave, near infrared, red", "radar VV, VH, VV", "labels")

LEAST_SHOWN, MOST_SHOWN = 0.01, 0.8
"""Share of a scene that its hazard covers: less can hardly be seen, more leaves nothing to tell it from."""
MOST_DRAWS = 8
SEEDS_OF_JOB = 100_003
SEEDS_OF_DRAW = 10_000
"""As many scenes as a job may have: what is drawn again has seeds of its own."""

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Example:
    """One scene of the sheet: its files' stem and what it is."""

    stem: str
    scene: SimulatedScene
    seed: int


def simulate(job: SimulateJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job: for each scene an optical, a radar and a label raster, then a table and the contact sheet.

    Returns:
        ``{folder, scenes: [{optical, radar, labels, hazard, seed, ...}], contact_sheet}``.

    Raises:
        BadInput: the folder cannot be used, or holds a sheet already and ``overwrite`` is off.
        Cancelled: the report said so; scenes already written stay, the sheet is not written.
    """
    report = report or Report()
    folder = Path(job.out)
    there = next(iter([*folder.glob(SHEET), *folder.glob("*_labels.tif")]), None)  # of a whole or a cancelled run
    if there is not None and not job.overwrite:
        raise BadInput(f"{there} exists; choose another folder, or give --overwrite to replace the scenes.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        report.stage("Simulating")
        rows: list[dict[str, Any]] = []
        views: list[tuple[list[Picture], tuple[str, str]]] = []
        for index in range(job.scenes):
            report.progress(index / job.scenes)
            example = _example(job, index)
            rows.append(_write(folder, example))
            if len(views) < 60:  # a sheet that can still be looked at
                views.append((_views(example.scene), _words(example)))
        _remove_others(folder, rows)
        _write_text(folder / TABLE, json.dumps(rows, indent=1) + "\n")
        _save(draw_sheet(views), folder / SHEET)
    except OutputFailed:
        raise
    except OSError as error:
        raise OutputFailed(f"Scenes cannot be written to {folder} ({error.strerror}); choose another folder.") from None
    return {"folder": str(folder), "scenes": rows, "contact_sheet": str(folder / SHEET)}


def _example(job: SimulateJob, index: int) -> Example:
    """The first scene of a few that shows its hazard and ground without it; the last of them where none does."""
    hazard = job.hazard or KINDS[index % len(KINDS)]
    for draw in range(MOST_DRAWS):
        seed = job.seed * SEEDS_OF_JOB + draw * SEEDS_OF_DRAW + index
        scene = compose_scene(seed, job.size_px, hazard, job.gsd_m)
        shown = LABEL_PLANES.index(hazard if hazard in LABEL_PLANES else "any")
        share = float((scene.labels[shown] == 1).float().mean())
        if share <= MOST_SHOWN and (hazard == "none" or share >= LEAST_SHOWN):
            break
    return Example(f"{index:03d}_{hazard}", scene, seed)


def _names_in(table: Path) -> set[str]:
    """Names of scenes' files that a table written here lists; none where there is no such table."""
    try:
        rows = json.loads(table.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    values = (
        [value for row in rows if isinstance(row, dict) for value in row.values()] if isinstance(rows, list) else []
    )
    names = {re.split(r"[/\\]", value)[-1] for value in values if isinstance(value, str)}
    return {name for name in names if SCENE_FILE.fullmatch(name)}


def _remove_others(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Remove what an earlier, longer run left in the folder, as far as its table names it."""
    kept = {Path(row[kind]).name for row in rows for kind in FILES}
    for name in _names_in(folder / TABLE) - kept:
        if (folder / name).is_file():
            (folder / name).unlink()


def _write(folder: Path, example: Example) -> dict[str, Any]:
    scene, setting = example.scene, example.scene.setting
    paths = {kind: str(folder / f"{example.stem}_{kind}.tif") for kind in FILES}
    values = {slot: scene.values[index].numpy() for index, slot in enumerate(scene.slots)}
    for kind, slots in (("optical", OPTICAL_SLOTS), ("radar", SAR_SLOTS)):
        write_simulated_scene(paths[kind], {slot: values[slot] for slot in slots}, scene.gsd_m, example.seed)
    labels = {name: scene.labels[index].numpy() for index, name in enumerate(LABEL_PLANES)}
    write_simulated_labels(paths["labels"], {**labels, "artificial": scene.surface.numpy()}, scene.gsd_m, example.seed)
    return {
        **paths,
        "seed": example.seed,
        "hazard": scene.hazard,
        "country": scene.country,
        "climate": setting.climate,
        "gsd_m": round(scene.gsd_m, 2),
        "sensor": setting.sensor,
        "longitude": round(setting.longitude, 3),
        "latitude": round(setting.latitude, 3),
        "day_of_year": round(setting.day_of_year),
        "sun_elevation_deg": round(float(np.degrees(setting.sun_elevation)), 1),
    }


def _words(example: Example) -> tuple[str, str]:
    scene, setting = example.scene, example.scene.setting
    hemisphere = "N" if setting.latitude >= 0 else "S"
    return (
        f"{example.stem.replace('_', ' ', 1)}  ({scene.country}, {setting.climate}), {scene.gsd_m:.1f} m",
        f"{setting.sensor}, {abs(setting.latitude):.0f}° {hemisphere}, day {setting.day_of_year:.0f}, "
        f"sun {np.degrees(setting.sun_elevation):.0f}°",
    )


def _views(scene: SimulatedScene) -> list[Picture]:
    """Four pictures (VIEW_PX, VIEW_PX, 3) of a scene, in the order of ``VIEWS``."""
    values = {slot: scene.values[index].numpy() for index, slot in enumerate(scene.slots)}
    clear = scene.cloud.numpy() < 0.1
    natural = np.stack([_stretched(values[slot], clear) for slot in ("red", "green", "blue")], -1)
    infrared = np.stack([np.clip(values[slot] / 0.45, 0, 1) for slot in ("swir1", "nir", "red")], -1)
    vv, vh = np.clip((values["vv"] + 25) / 25, 0, 1), np.clip((values["vh"] + 32) / 25, 0, 1)
    seen = seen_labels(scene, OPTICAL_SLOTS)
    labels = np.repeat(natural.mean(-1, keepdims=True) * 0.45, 3, -1)
    labels[scene.surface.numpy() == 1] = np.array(ARTIFICIAL) / 255
    for index, name in enumerate(LABEL_PLANES):
        if name in COLOURS:
            plane = seen[index].numpy()
            labels[plane == 1] = np.array(COLOURS[name]) / 255
            labels[plane == 255] = np.array(HIDDEN) / 255
    return [_picture(view) for view in (natural, infrared, np.stack([vv, vh, vv], -1), labels)]


def _stretched(plane: npt.NDArray[np.float32], clear: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    low, high = np.percentile(plane[clear] if clear.any() else plane, (1, 98.5))
    return np.asarray(np.clip((plane - low) / max(high - low, 1e-4), 0, 1) ** 0.8, np.float32)


def _picture(view: npt.NDArray[Any]) -> Picture:
    image = Image.fromarray(np.round(view * 255).astype(np.uint8))
    return np.asarray(image.resize((VIEW_PX, VIEW_PX), Image.Resampling.BOX))


def draw_sheet(views: list[tuple[list[Picture], tuple[str, str]]]) -> Image.Image:
    """One picture: a scene a row, two rows side by side, each view under its name, and the colours of the labels."""
    columns = 1 if len(views) < 3 else 2
    rows = -(-len(views) // columns)
    width = len(VIEWS) * (VIEW_PX + MARGIN_PX) + 2 * MARGIN_PX
    sheet = Image.new("RGB", (columns * width, TITLE_PX + 24 + rows * (VIEW_PX + TEXT_PX + MARGIN_PX)), (250, 250, 248))
    draw = ImageDraw.Draw(sheet)
    title = small = ImageFont.load_default()
    draw.text((MARGIN_PX, 10), "Simulated scenes: no real place, no real event", fill=(20, 20, 20), font=title)
    at = columns * width - 640
    for name, colour in (*COLOURS.items(), ("artificial", ARTIFICIAL), ("not judged", HIDDEN)):
        draw.rectangle((at, 14, at + 14, 28), fill=colour, outline=(60, 60, 60))
        draw.text((at + 20, 13), name.replace("_", " "), fill=(20, 20, 20), font=small)
        at += 40 + int(draw.textlength(name, font=small))
    for index, (pictures, (first, second)) in enumerate(views):
        left = (index % columns) * width + MARGIN_PX
        top = TITLE_PX + 24 + (index // columns) * (VIEW_PX + TEXT_PX + MARGIN_PX)
        draw.text((left, top), f"{first}   {second}", fill=(20, 20, 20), font=small)
        for number, (picture, view) in enumerate(zip(pictures, VIEWS, strict=True)):
            x = left + number * (VIEW_PX + MARGIN_PX)
            if index < columns:
                draw.text((x, TITLE_PX + 2), view, fill=(110, 110, 110), font=small)
            sheet.paste(Image.fromarray(picture), (x, top + TEXT_PX - 14))
    return sheet


def _save(sheet: Image.Image, path: Path) -> None:
    partial = path.with_suffix(".partial.png")
    sheet.save(partial)
    os.replace(partial, path)


def _write_text(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial.json")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
