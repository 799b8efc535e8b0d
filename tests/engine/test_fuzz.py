"""A short run of the fuzz program, and malformed rasters that were thought up rather than drawn."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scenes import write_raster

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("topic", "first", "count"),
    [("rasters", 10_000, 60), ("vectors", 10_000, 60), ("jobs", 10_000, 20), ("cards", 10_000, 10),
     ("weights", 10_000, 10), ("disks", 195, 4)],
)  # fmt: skip
def test_what_is_damaged_or_hostile_ends_in_a_result_or_in_one_sentence(tmp_path, topic, first, count):
    """In a program of its own: processes forked from one in which torch has run may wait for its threads for ever."""
    words = ["--topic", topic, "--first", str(first), "--count", str(count), "--keep", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *words], cwd=ROOT, capture_output=True, text=True, timeout=400
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{count} cases, 0 faults" in ended.stdout


def vrt(body, width=60, height=50, extra=""):
    return (
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">{extra}'
        f'<VRTRasterBand dataType="Byte" band="1">{body}</VRTRasterBand></VRTDataset>'
    )


def source(path, kind="SimpleSource"):
    return f'<{kind}><SourceFilename relativeToVRT="1">{path}</SourceFilename><SourceBand>1</SourceBand></{kind}>'


ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha" * 10}">' for i in range(10))
MALFORMED = {
    "refers to a missing file": vrt(source("missing.tif")),
    "refers to itself": vrt(source("s.vrt")),
    "refers to a ring": vrt(source("other.vrt")),
    "is an XML bomb": f"<!DOCTYPE x [{ENTITIES}]>" + vrt(source("&e9;")),
    "reads standard input": vrt(source("/vsistdin/").replace('relativeToVRT="1"', "")),
    "reads a device": vrt(source("/dev/zero").replace('relativeToVRT="1"', "")),
    "runs Python": vrt(
        "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>"
        "<PixelFunctionCode><![CDATA[import os\ndef f(*a):\n open('RAN', 'w')]]></PixelFunctionCode>" + source("t.tif")
    ).replace('band="1">', 'band="1" subClass="VRTDerivedRasterBand">'),
    "has no end": vrt(source("t.tif"))[:150],
    "nests without end": "<VRTDataset>" + "<a>" * 100_000,
    "has negative sizes": vrt(source("t.tif"), -5, 50),
    "has no size": vrt(source("t.tif"), 0, 0),
    "has huge blocks": vrt(source("t.tif") + "", 60, 50, "<BlockXSize>2000000000</BlockXSize>"),
    "overflows a raw band": (
        '<VRTDataset rasterXSize="60000" rasterYSize="60000"><VRTRasterBand dataType="Float64" band="1" '
        'subClass="VRTRawRasterBand"><SourceFilename relativeToVRT="1">t.tif</SourceFilename>'
        "<ImageOffset>9223372036854775807</ImageOffset><PixelOffset>2147483647</PixelOffset>"
        "<LineOffset>2147483647</LineOffset></VRTRasterBand></VRTDataset>"
    ),
    "has a damaged CRS": vrt(source("t.tif"), extra="<SRS>PROJCS[&quot;x&quot;,</SRS>"),
    "has control points on one spot": vrt(
        source("t.tif"), extra="<GCPList>" + '<GCP Pixel="1" Line="1" X="1" Y="1"/>' * 9 + "</GCPList>"
    ),
    "is empty": "",
    "is text": "hello",
}


READABLE = ("refers to itself", "has a damaged CRS", "has control points on one spot")


@pytest.mark.parametrize(
    ("command", "name"), [*(("inspect", name) for name in MALFORMED), *(("segment", name) for name in READABLE)]
)
def test_a_raster_that(tmp_path, name, command):
    """... ends the program with 0 or 2 and at most one line on stderr (beside notes), soon."""
    write_raster(tmp_path / "t.tif", np.full((50, 60), 9, "u1"))
    (tmp_path / "s.vrt").write_text(MALFORMED[name])
    (tmp_path / "other.vrt").write_text(vrt(source("s.vrt")))
    words = [command, "--raster", str(tmp_path / "s.vrt"), "--bands", "green", "--json"]
    if command == "segment":
        words += ["--hazard", "flood", "--mask", str(tmp_path / "mask.tif")]
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "engine", *words], cwd=ROOT, capture_output=True, text=True, timeout=60,
        stdin=subprocess.PIPE,
    )  # fmt: skip
    assert ended.returncode in (0, 2), (ended.returncode, ended.stderr)
    if ended.returncode == 2:
        assert len(ended.stderr.splitlines()) == 1 and ended.stdout == ""
        assert not (tmp_path / "mask.tif").exists()
    assert time.monotonic() - began < 30
    assert not list(tmp_path.glob("RAN")) and not (ROOT / "RAN").exists()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
