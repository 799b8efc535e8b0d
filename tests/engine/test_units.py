"""Units: the same physical values, written down in every usual way, are found again."""

import numpy as np
import pytest

from engine.units import find_units, to_canonical

REFLECTANCE = np.random.default_rng(0).beta(2, 12, 20_000).astype(np.float32)
BACKSCATTER_DB = np.random.default_rng(0).normal(-13, 4, 20_000).astype(np.float32)


def found(values, dtype, sensor=None, scale=(1.0, 0.0), slot="green", **extra):
    result = find_units(
        {slot: np.asarray(values, np.float32)}, dtypes={slot: dtype}, scales={slot: scale}, sensor=sensor, **extra
    )
    units = result.by_slot[slot]
    stored = np.asarray(values, np.float32).copy()
    if units.scaled:
        stored = (stored * scale[0] + scale[1]).astype(np.float32)
    return result, to_canonical(stored, units.units)


WRITINGS = [
    ("float reflectance", REFLECTANCE, "float32", None, (1.0, 0.0), "reflectance"),
    ("scaled by the file", REFLECTANCE * 1e4, "uint16", None, (1e-4, 0.0), "reflectance"),
    ("scaled and shifted by the file", REFLECTANCE * 1e4 + 1000, "uint16", None, (1e-4, -0.1), "reflectance"),
    ("times 10000", REFLECTANCE * 1e4, "uint16", None, (1.0, 0.0), "reflectance*10000"),
    ("times 10000 in floats", REFLECTANCE * 1e4, "float32", None, (1.0, 0.0), "reflectance*10000"),
    ("Sentinel-2 from 04.00", REFLECTANCE * 1e4 + 1000, "uint16", "sentinel-2-l2a", (1.0, 0.0),
     "reflectance*10000-1000"),
    ("Landsat collection 2", (REFLECTANCE + 0.2) / 2.75e-5, "uint16", "landsat-8", (1.0, 0.0), "landsat-c2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "dtype", "sensor", "scale", "name"), [w[1:] for w in WRITINGS], ids=[w[0] for w in WRITINGS]
)
def test_reflectance_is_found_however_it_is_written(values, dtype, sensor, scale, name):
    stored = np.rint(values) if "int" in dtype else values
    result, canonical = found(stored, dtype, sensor, scale)
    assert result.name == name
    assert np.allclose(canonical, REFLECTANCE, atol=1e-4)


def test_bytes_are_display_values():
    result, canonical = found(np.arange(256), "uint8")
    assert result.name == "byte"
    assert canonical.min() == 0 and canonical.max() == pytest.approx(1)


@pytest.mark.parametrize(
    ("product", "tags", "name"),
    [
        ("S2A_MSIL2A_20240916T100029_N0511_R122", {}, "reflectance*10000-1000"),
        ("S2A_MSIL2A_20200916T100029_N0214_R122", {}, "reflectance*10000"),
        ("", {"PROCESSING_BASELINE": "05.09"}, "reflectance*10000-1000"),
        ("", {"PROCESSING_BASELINE": "02.14"}, "reflectance*10000"),
    ],
)
def test_the_processing_baseline_tells_sentinel_2s_offset(product, tags, name):
    dark = REFLECTANCE * 1e4 + 1200
    assert found(dark, "uint16", "sentinel-2-l2a", product=product, tags=tags)[0].name == name


@pytest.mark.parametrize("slot", ["vv", "vh"])
def test_backscatter_is_found_in_db_and_in_power(slot):
    result, canonical = found(BACKSCATTER_DB, "float32", slot=slot)
    assert result.name == "db" and np.allclose(canonical, BACKSCATTER_DB)
    result, canonical = found(10 ** (BACKSCATTER_DB / 10), "float32", slot=slot)
    assert result.name == "linear" and np.allclose(canonical, BACKSCATTER_DB, atol=1e-4)
    result, canonical = found(np.rint(BACKSCATTER_DB * 100), "int16", slot=slot, scale=(0.01, 0.0))
    assert result.name == "db" and np.allclose(canonical, BACKSCATTER_DB, atol=0.006)


@pytest.mark.parametrize(("slot", "land_db"), [("vv", -10), ("vh", -16)])
def test_amplitude_that_passes_for_power_is_doubted(slot, land_db):
    """Taken for power, its dB are half of what they are, and no water is dark enough."""
    land = np.random.default_rng(0).normal(land_db, 3, 20_000).astype(np.float32)
    assert found(10 ** (land / 10), "float32", slot=slot)[0].warnings == ()
    result, _ = found(10 ** (land / 20), "float32", slot=slot)
    assert result.name == "linear" and "amplitude, perhaps" in result.warnings[0]


def test_unknown_numbers_are_raw_and_said():
    for values, dtype, slot in (
        (np.linspace(0, 6e4, 999), "uint16", "green"),
        (np.linspace(0, 900, 99), "uint16", "vv"),
    ):
        result, canonical = found(values, dtype, slot=slot)
        assert result.name == "raw" and result.warnings
        assert np.allclose(canonical, values)


def test_nothing_but_nodata_is_no_error():
    for dtype in ("uint8", "uint16", "float32"):
        assert found([], dtype)[0].name in ("byte", "raw")
        assert found([], dtype, slot="vv")[0].name == "db"


def test_chosen_units_hold_for_the_bands_they_describe():
    samples = {"green": REFLECTANCE * 1e4, "vv": BACKSCATTER_DB}
    result = find_units(
        samples, dtypes=dict.fromkeys(samples, "float32"), scales=dict.fromkeys(samples, (1.0, 0.0)),
        sensor=None, chosen="db",
    )  # fmt: skip
    assert result.by_slot["vv"].units == "db" and result.by_slot["green"].units == "reflectance*10000"
    assert result.name == "db" and any("vv db" in text for text in result.warnings)
    only = find_units(
        {"green": REFLECTANCE}, dtypes={"green": "float32"}, scales={"green": (1.0, 0.0)}, sensor=None, chosen="db"
    )
    assert only.name == "reflectance" and any("do not describe" in text for text in only.warnings)
