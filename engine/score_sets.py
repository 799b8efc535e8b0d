"""The real, labelled scenes that models are scored on: where they lie, what their references mean and measure."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .protocol import HAZARDS, BadInput, SceneJob

ARTIFICIAL = "artificial"
"""Asked of the surface head: built-up ground against natural ground."""

PIXELS, PLACES, IMAGES = "pixels", "places", "images"
"""Ways to pool scenes: all pixels together; the median over places; images ranked by the share that was found."""

_SEVEN = ("coastal", "blue", "green", "red", "nir", "swir1", "swir2")
_CAROLINA_EXTENT = (-76.62, 34.63, -76.52, 34.70)  # barrier islands and the sounds behind them

UNLABELLED = {"flood/s1_spain_2019": "it has a flood, permanent water and heights, but no labels of the flood"}
"""Folders of real scenes without labels, and without a hazard that they surely lack."""


@dataclass(frozen=True)
class RealScene:
    """One scene and its reference.

    Attributes:
        job: names the raster and how it is read.
        reference: raster of codes on the scene's grid; None where the hazard is nowhere in the scene.
        positive: codes that mean the hazard.
        ignore: codes that are left out.
        place: scenes of one place share this name.
        urban: for images that are labelled as a whole; None where pixels are.
    """

    job: SceneJob
    reference: str | None = None
    positive: tuple[int, ...] = (1,)
    ignore: tuple[int, ...] = (255,)
    place: str = ""
    urban: bool | None = None


@dataclass(frozen=True)
class ScoreSet:
    """Scenes that are asked for one hazard and scored together.

    Attributes:
        name: begins with the folder's subject; without commas, so that it can be chosen by name.
        hazard: one of ``protocol.HAZARDS``, or ARTIFICIAL.
        scenes: what is scored.
        note: what it measures, for the table's footnotes.
        holds_hazard: False where every find is a false alarm.
        in_mean: whether it counts for a model's mean: one view of each set that holds a hazard.
        pooling: PIXELS, PLACES or IMAGES.
    """

    name: str
    hazard: str
    scenes: tuple[RealScene, ...]
    note: str
    holds_hazard: bool = True
    in_mean: bool = False
    pooling: str = PIXELS


def real_sets(data: Path) -> list[ScoreSet]:
    """All sets found under a folder, by hazard; those whose folder or index is missing are left out.

    Raises:
        BadInput: when an index cannot be read.
    """
    builders: tuple[tuple[str, Callable[[Path], list[ScoreSet]]], ...] = (
        ("flood/s1_stac_overflow/images", _sentinel_1),
        ("flood/landsat_worldcover/index.csv", _landsat),
        ("landslide/hokkaido_2018/images", _hokkaido),
        ("landslide/jinsha/A_rgb.tif", _jinsha),
        ("glacier/blatten_before", _blatten),
        ("glacier/everest_rgi/LE7_20001030_rgb.tif", _everest),
        ("clouds/csmask", _clouds),
        ("scenes/s2_l2a_thailand", _thailand),
        ("scenes/s2_chittagong/S2_RGBN.tif", _chittagong),
        ("scenes/s2_nc_coast_8bit", _carolina),
        ("landcover/rsvqa_lr/index.csv", _low_countries),
        ("landcover/landsat7_chiapas/training_data.tif", _chiapas),
    )
    found: list[ScoreSet] = []
    for needed, build in builders:
        path = data / needed
        if path.exists():
            found += [one for one in build(path.parent if path.suffix else path) if one.scenes]
    order = (*HAZARDS, ARTIFICIAL)
    return sorted(found, key=lambda one: (order.index(one.hazard), not one.holds_hazard))


def unlabelled_notes(data: Path) -> list[str]:
    """One sentence for each folder of scenes found that nothing can be scored on."""
    return [f"Note: '{name}' is not scored: {reason}." for name, reason in UNLABELLED.items() if (data / name).is_dir()]


def _sentinel_1(images: Path) -> list[ScoreSet]:
    labels = images.parent / "labels"

    def scene(name: str, bands: tuple[str, ...]) -> tuple[RealScene, ...]:
        raster = images / f"{name}.tif"
        job = SceneJob(raster=str(raster), bands=bands, units="db")
        return (RealScene(job, str(labels / f"{name}.tif")),) if raster.is_file() else ()

    return [
        ScoreSet(
            "S1 pxs10", "flood", scene("pxs10", ("vv", "vh")), "Sentinel-1 VV and VH, Assam, open water", in_mean=True
        ),
        ScoreSet("S1 pxs10 VV alone", "flood", scene("pxs10", ("vv", "-")), "the same scene without VH"),
        ScoreSet(
            "S1 awc00 (no water)",
            "flood",
            scene("awc00", ("vv", "vh")),
            "Sentinel-1, Bolivia, dry throughout",
            holds_hazard=False,
        ),
    ]


def _landsat(folder: Path) -> list[ScoreSet]:
    rows = _read_index(folder / "index.csv", ("chip", "location_group", "label_consistent"))
    consistent = [row for row in rows if row["label_consistent"] == "1"]

    def chips(chosen: list[dict[str, str]], slots: tuple[str, ...] = _SEVEN) -> tuple[RealScene, ...]:
        bands = tuple(slot if slot in slots else "-" for slot in _SEVEN)
        return tuple(
            RealScene(
                SceneJob(
                    raster=str(folder / "images" / f"{int(row['chip']):03d}.tif"),
                    bands=bands,
                    units="reflectance*10000",
                    gsd_m=30.0,
                ),
                str(folder / "labels_water" / f"{int(row['chip']):03d}.tif"),
                place=row["location_group"],
            )
            for row in chosen
        )

    built_up = tuple(
        replace(
            scene,
            reference=str(folder / "labels_worldcover" / Path(scene.job.raster).name),
            positive=(50,),
            ignore=(0, 255),
        )
        for scene in chips(rows)
    )
    return [
        ScoreSet(
            "Landsat 7 bands",
            "flood",
            chips(consistent),
            "Landsat chips of 30 m from many places whose water masks agree with the image",
            in_mean=True,
        ),
        ScoreSet(
            "Landsat 7 bands (median of places)",
            "flood",
            chips(consistent),
            "the same chips, scored place by place",
            pooling=PLACES,
        ),
        ScoreSet("Landsat 7 bands (noisy labels too)", "flood", chips(rows), "all chips, masks of another date too"),
        ScoreSet("Landsat 6 bands", "flood", chips(consistent, _SEVEN[1:]), "without the coastal band"),
        ScoreSet("Landsat RGB+NIR", "flood", chips(consistent, _SEVEN[1:5]), "as four-band sensors see it"),
        ScoreSet("Landsat RGB", "flood", chips(consistent, _SEVEN[1:4]), "colours alone"),
        ScoreSet(
            "Landsat (no slides)",
            "landslide",
            tuple(replace(scene, positive=()) for scene in chips(consistent)),
            "the same chips asked for landslides, of which none is known there",
            holds_hazard=False,
        ),
        ScoreSet(
            "Landsat built-up",
            ARTIFICIAL,
            built_up,
            "WorldCover class 50 against all other classes, natural/artificial head at 0.5",
        ),
    ]


def _hokkaido(images: Path) -> list[ScoreSet]:
    scenes = tuple(
        RealScene(SceneJob(raster=str(path), sensor="rgb"), str(images.parent / "labels" / path.name))
        for path in sorted(images.glob("*.tif"))
    )
    note = "8-bit RGB chips of co-seismic landslides in forest"
    return [ScoreSet("Hokkaido 2018 RGB", "landslide", scenes, note, in_mean=True)]


def _jinsha(folder: Path) -> list[ScoreSet]:
    scene = RealScene(
        SceneJob(raster=str(folder / "A_rgb.tif"), sensor="rgb"), str(folder / "A_label.tif"), positive=(1, 2)
    )
    return [ScoreSet("Jinsha A RGB 0.5 m", "landslide", (scene,), "8-bit aerial RGB, dry gorge", in_mean=True)]


def _hazard_free(name: str, note: str, scenes: tuple[RealScene, ...], hazards: tuple[str, ...]) -> list[ScoreSet]:
    return [ScoreSet(name, hazard, scenes, note, holds_hazard=False) for hazard in hazards]


def _blatten(folder: Path) -> list[ScoreSet]:
    scenes = tuple(
        RealScene(SceneJob(raster=str(path), bands=("swir2", "blue", "coastal"), units="byte"))
        for path in sorted(folder.glob("*.tif"))
    )
    note = "two Sentinel-2 composites of the Alps before a glacier collapse, three bands of 8 bits"
    return _hazard_free("Blatten before", note, scenes, HAZARDS)


def _everest(folder: Path) -> list[ScoreSet]:
    scene = RealScene(SceneJob(raster=str(folder / "LE7_20001030_rgb.tif"), sensor="rgb"))
    note = "debris-covered glaciers and snow in 8-bit RGB, no collapse known"
    return _hazard_free("Everest glaciers RGB", note, (scene,), ("landslide", "glacier_collapse"))


def _clouds(folder: Path) -> list[ScoreSet]:
    scenes = tuple(
        RealScene(
            SceneJob(raster=str(folder / f"{name}_image.tif"), bands=_SEVEN[1:], units="reflectance*10000"),
            str(folder / f"{name}_label.tif"),
            positive=(),
            ignore=(1, 3, 255),
        )
        for name in ("landsat5", "sentinel2")
        if (folder / f"{name}_image.tif").is_file()
    )
    return _hazard_free("Clouds and shadows", "pixels of clouds and their shadows only", scenes, HAZARDS)


def _thailand(folder: Path) -> list[ScoreSet]:
    scenes = tuple(RealScene(SceneJob(raster=str(path))) for path in sorted(folder.glob("*_10m.tif")))
    note = "Sentinel-2, a plain of bare and green fields, rivers and ponds"
    return _hazard_free("Thailand plain RGB+NIR", note, scenes, ("landslide", "glacier_collapse"))


def _chittagong(folder: Path) -> list[ScoreSet]:
    scenes = (RealScene(SceneJob(raster=str(folder / "S2_RGBN.tif"))),)
    note = "Sentinel-2, a dense city of the tropics by the sea; landslides in its hills are not known, and not asked"
    return _hazard_free("Chittagong RGB+NIR", note, scenes, ("glacier_collapse",))


def _carolina(folder: Path) -> list[ScoreSet]:
    scenes = tuple(
        RealScene(SceneJob(raster=str(path), extent=_CAROLINA_EXTENT)) for path in sorted(folder.glob("*_8bit.tif"))
    )
    note = "Sentinel-2 in 8 bits, flat barrier islands of sand, towns and sea"
    return _hazard_free("Carolina coast 8-bit", note, scenes, ("landslide", "glacier_collapse"))


def _low_countries(folder: Path) -> list[ScoreSet]:
    rows = _read_index(folder / "index.csv", ("image", "rural_urban"))
    scenes = tuple(
        RealScene(
            SceneJob(raster=str(folder / "images" / f"{row['image']}.tif"), sensor="rgb"),
            urban=row["rural_urban"] == "urban",
        )
        for row in rows
    )
    note = "Sentinel-2 RGB crops, towns and fields in plains"
    ranked = "images ranked by the share of artificial pixels, as many called urban as are"
    return [
        *_hazard_free("Low Countries RGB", note, scenes, ("landslide",)),
        ScoreSet("Low Countries urban images", ARTIFICIAL, scenes, ranked, pooling=IMAGES),
    ]


def _chiapas(folder: Path) -> list[ScoreSet]:
    bands = (*_SEVEN[1:], "-", "-")
    scenes = tuple(
        RealScene(
            SceneJob(raster=str(path), bands=bands, units="reflectance*10000"),
            str(folder / "training_data.tif"),
            positive=(5,),
            ignore=(0, 255),
        )
        for path in sorted(folder.glob("LE7*1999*_stack.tif"))  # the other date is cloudy
    )
    note = "Landsat 7, 68 urban of 718 labelled pixels"
    return [ScoreSet("Chiapas urban", ARTIFICIAL, scenes, note)]


def _read_index(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV that must have these columns; raises BadInput otherwise."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"The index {path} cannot be read ({error}); obtain the folder of scenes again.") from None
    for row in rows:
        for column in columns:
            if row.get(column) is None:
                raise BadInput(f"The index {path} has no column '{column}'; obtain the folder of scenes again.")
    return rows
