"""Tiny training data in the layouts of the public sets, made here: every value is known."""

import json
from pathlib import Path

import numpy as np
from scenes import write_raster

BANDS_10M = ("B02", "B03", "B04", "B08")
BANDS_20M = ("B05", "B06", "B07", "B8A", "B11", "B12")
BANDS_60M = ("B01", "B09")
COUNTS = {"B01": 400, "B02": 500, "B03": 600, "B04": 700, "B08": 3000, "B11": 2000, "B12": 1000}
"""Counts of each band at the upper left pixel; they grow by one a column of that band."""
DECIBELS = {"VV": -11.5, "VH": -18.25}

TILE = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP"
RADAR = "S1B_IW_GRDH_1SDV_20170612T165809_33UUP"
V1 = "S2A_MSIL2A_20170613T101031"


def corner(column, row):
    """Upper left corner of a patch of tile 33UUP."""
    return 300_000 + 1200 * column, 5_400_000 - 1200 * row


def write_band(folder, band, values, column, row, gsd_m, **how):
    x, y = corner(column, row)
    folder.mkdir(parents=True, exist_ok=True)
    return write_raster(
        folder / f"{folder.name}_{band}.tif",
        values,
        geotransform=(x, gsd_m, 0, y, 0, -gsd_m),
        crs="EPSG:32633",
        **how,
    )


def write_optical(folder, column, row, nodata=None):
    """All twelve bands of a Sentinel-2 patch."""
    for bands, size, gsd_m in ((BANDS_10M, 120, 10), (BANDS_20M, 60, 20), (BANDS_60M, 20, 60)):
        for band in bands:
            values = np.full((size, size), COUNTS.get(band, 900), np.uint16) + np.arange(size, dtype=np.uint16)
            write_band(folder, band, values, column, row, gsd_m, nodata=[nodata])


def write_radar(folder, column, row):
    """VV and VH of a Sentinel-1 patch."""
    for band, value in DECIBELS.items():
        write_band(folder, band, np.full((120, 120), value, np.float32), column, row, 10)


def write_v2_patch(root, column=0, row=0, codes=None, *, radar=True, optical=True, tile=TILE, radar_scene=RADAR):
    """One patch of BigEarthNet v2 with its reference map; returns its name."""
    name = f"{tile}_{column}_{row}"
    if optical:
        write_optical(root / "BigEarthNet-S2" / tile / name, column, row, nodata=0)
    if radar:
        scene = radar_scene.rsplit("_", 1)[0]
        write_radar(root / "BigEarthNet-S1" / scene / f"{radar_scene}_{column}_{row}", column, row)
    if codes is not None:
        folder = root / "Reference_Maps" / tile / name
        write_band(folder, "reference_map", np.asarray(codes, np.uint16), column, row, 10, nodata=[0])
    return name


def write_metadata(root, rows):
    """metadata.parquet with the published columns; ``rows`` are dictionaries of what differs from the usual."""
    import pyarrow
    from pyarrow import parquet

    usual = {
        "labels": ["Arable land"],
        "split": "train",
        "country": "Austria",
        "s1_name": None,
        "s2v1_name": "",
        "contains_seasonal_snow": False,
        "contains_cloud_or_shadow": False,
    }
    parquet.write_table(pyarrow.Table.from_pylist([{**usual, **row} for row in rows]), root / "metadata.parquet")


def write_v1_patch(parent, name, column, row, labels, **more):
    """One patch of BigEarthNet v1, Sentinel-2 or Sentinel-1 by its name."""
    folder = parent / name
    (write_radar if name.startswith("S1") else write_optical)(folder, column, row)
    x, y = corner(column, row)
    bottom = {"lly": y - 1200} if name.startswith("S1") else {"lry": y - 1200}  # the key really differs
    metadata = {"labels": labels, "coordinates": {"ulx": x, "uly": y, "lrx": x + 1200, **bottom}, **more}
    (folder / f"{name}_labels_metadata.json").write_text(json.dumps(metadata))
    return name


def write_floods(root, chips, size=32):
    """Sen1Floods11: ``chips`` maps a chip to the sensors it has, such as ``"s1 s2"``; returns the base folder.

    Band n has n hundred counts; the left half is water, the first row not judged, the last row not seen by radar.
    """
    base = root / "v1.1" / "data" / "flood_events" / "HandLabeled"
    for chip, sensors in chips.items():
        where = {"geotransform": (10.0, 9e-5, 0, 50.0, 0, -9e-5), "crs": "EPSG:4326"}
        labels = np.zeros((size, size), np.int16)
        labels[:, : size // 2] = 1
        labels[0] = -1
        radar = np.full((2, size, size), -9.0, np.float32)
        radar[1] = -16.0
        radar[:, -1] = np.nan
        optical = np.zeros((13, size, size), np.uint16) + np.arange(1, 14, dtype=np.uint16)[:, None, None] * 100
        files = {"LabelHand": labels}
        files.update({"S1Hand": radar} if "s1" in sensors else {}, **({"S2Hand": optical} if "s2" in sensors else {}))
        for kind, values in files.items():
            (base / kind).mkdir(parents=True, exist_ok=True)
            write_raster(base / kind / f"{chip}_{kind}.tif", values, **where)
    return base


def write_flood_split(root, **parts):
    """The published split files."""
    folder = root / "v1.1" / "splits" / "flood_handlabeled"
    folder.mkdir(parents=True, exist_ok=True)
    for part, chips in parts.items():
        lines = "".join(f"{chip}_S1Hand.tif,{chip}_LabelHand.tif\n" for chip in chips)
        (folder / f"flood_{part}_data.csv").write_text(lines)


def write_landslide_chip(root, number, part="TrainData", *, divisors=None, mask=True, kinds=("img", "mask")):
    """One chip of Landslide4Sense: counts 100, 200 ... 1400 a band, divided as the authors did."""
    import h5py

    counts = np.arange(1, 15) * 100.0 + np.arange(128)[:, None, None] + np.zeros((1, 128, 1))
    image = counts / (np.ones(14) if divisors is None else np.asarray(divisors))
    labels = np.zeros((128, 128), np.uint8)
    labels[:10] = 1
    for kind, name, values in (("img", "image", image), ("mask", "mask", labels)):
        if kind == "mask" and not mask:
            continue
        folder = Path(root) / part / kinds[0 if kind == "img" else 1]
        folder.mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / f"{name}_{number}.h5", "w") as file:
            file[kind] = values
