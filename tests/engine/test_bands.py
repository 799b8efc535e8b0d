"""Which band is which: descriptions as products and exports really write them."""

import pytest

from engine.bands import PRESETS, BandInfo, UnknownBands, guess_sensor, match_bands, names_a_slot
from engine.protocol import SENSORS, SLOTS, BadInput

S2_12 = "B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B11 B12".split()
S2_SLOTS = ("coastal", "blue", "green", "red", "-", "-", "-", "nir", "-", "-", "swir1", "swir2")


def bands(names, dtype="uint16", **extra):
    return [BandInfo(i + 1, name, dtype, **extra) for i, name in enumerate(names)]


@pytest.mark.parametrize(
    ("names", "slots"),
    [
        (S2_12, S2_SLOTS),
        ("B1 B2 B3 B4 B5 B6 B7 B8 B8A B9 B10 B11 B12".split(), (*S2_SLOTS[:10], "-", "swir1", "swir2")),
        ("B2 B3 B4 B8".split(), ("blue", "green", "red", "nir")),
        ("B4 B3 B2".split(), None),
        ("B12 B02 B01".split(), ("swir2", "blue", "coastal")),
        ("B02 B03 B04 B8A B11 B12".split(), ("blue", "green", "red", "nir", "swir1", "swir2")),
        ("SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7".split(), ("blue", "green", "red", "nir", "swir1", "swir2")),
        ("SR_B1 SR_B2 SR_B3 SR_B4 SR_B5 SR_B7".split(), ("blue", "green", "red", "nir", "swir1", "swir2")),
        ("blue green red nir swir1 swir2".split(), ("blue", "green", "red", "nir", "swir1", "swir2")),
        ("Blue,Green,Red,Red Edge,NIR".split(","), ("blue", "green", "red", "-", "nir")),
        ("coastal_blue,blue,green_i,green,yellow,red,rededge,nir".split(","),
         ("coastal", "blue", "-", "green", "-", "red", "-", "nir")),
        ("Coastal Aerosol,Blue,Green,Red,Near Infrared (NIR),Shortwave Infrared 1,SWIR 2".split(","), SLOTS[:7]),
        ("VV VH".split(), ("vv", "vh")),
        ("VH VV".split(), ("vh", "vv")),
        ("Sigma0_VV_db Sigma0_VH_db angle".split(), ("vv", "vh", "-")),
        ("Gamma0_VH Gamma0_VV".split(), ("vh", "vv")),
        ("red (B04),green (B03),blue (B02)".split(","), ("red", "green", "blue")),
        ("panchromatic,red,thermal infrared,quality".split(","), ("-", "red", "-", "-")),
    ],
)  # fmt: skip
def test_names_tell_slots(names, slots):
    if slots is None:
        with pytest.raises(UnknownBands):
            match_bands(bands(names))
    else:
        assert match_bands(bands(names)).slots == slots


@pytest.mark.parametrize("count", [11, 12])
def test_band_1_to_12_in_order_says_nothing_of_sentinel_2(count):
    """ENVI and others number bands that nobody named; band 11 of such a stack is not Sentinel-2's band 11."""
    with pytest.raises(UnknownBands):
        match_bands(bands([f"Band {i + 1}" for i in range(count)]))


def test_numbered_bands_of_a_known_sensor_in_order_follow_its_preset():
    found = match_bands(bands([f"Band {i + 1}" for i in range(12)]), sensor="sentinel-2-l2a")
    assert found.slots == S2_SLOTS
    assert match_bands(bands([f"Band {i + 1}" for i in range(7)]), sensor="landsat-8").slots == SLOTS[:7]


def test_wavelengths_tell_slots():
    centres = [0.443, 0.49, 0.56, 0.665, 0.705, 0.842, 0.865, 1.61, 2.19]
    named = [BandInfo(i + 1, "", "uint16", wavelength_um=um) for i, um in enumerate(centres)]
    assert match_bands(named).slots == ("coastal", "blue", "green", "red", "-", "nir", "-", "swir1", "swir2")


def test_colours_tell_slots_of_byte_images_only():
    rgb = [BandInfo(i + 1, "", "uint8", colour=colour) for i, colour in enumerate(("blue", "red", "green"))]
    assert match_bands(rgb).slots == ("blue", "red", "green")
    stack = [BandInfo(i + 1, "", "uint16", colour=colour) for i, colour in enumerate(("red", "green", "blue", "", ""))]
    with pytest.raises(UnknownBands):
        match_bands(stack)


@pytest.mark.parametrize(
    ("name", "sensor"),
    [
        ("S2B_MSIL2A_20240916T100029_N0511_R122_T32TQP_20240916T141412.SAFE/x.jp2", "sentinel-2-l2a"),
        ("S2A_MSIL1C_20230516T100031_N0509_R122_T32TQP.zip", "sentinel-2-l1c"),
        ("T32TQP_20240916T100029_B03_10m.jp2", None),
        ("S1A_IW_GRDH_1SDV_20190916T055000.tif", "sentinel-1"),
        ("LC08_L2SP_192029_20230517_20230524_02_T1_SR_B3.TIF", "landsat-8"),
        ("LC09_L1TP_192029_20230517.tif", "landsat-9"),
        ("LE07_L2SP_192029.tif", "landsat-7"),
        ("LT05_L1TP_192029.tif", "landsat-5"),
        ("20230517_093000_PSScene_AnalyticMS.tif", "planetscope"),
        ("flood_scene.tif", None),
        ("plots1_a.tif", None),
    ],
)
def test_product_names_tell_the_sensor(name, sensor):
    assert guess_sensor(name) == sensor


def test_presets_are_complete_and_name_each_slot_once():
    assert set(PRESETS) == set(SENSORS)
    for sensor, by_count in PRESETS.items():
        for count, slots in by_count.items():
            used = [slot for slot in slots if slot != "-"]
            assert len(slots) == count and len(set(used)) == len(used) and set(used) <= set(SLOTS), (sensor, count)


def test_a_choice_is_taken_as_it_is_and_must_fit():
    assert match_bands(bands(["red", "x", "nir"]), chosen=("nir", "-", "red")).slots == ("nir", "-", "red")
    with pytest.raises(BadInput, match="2 band slots are given but the raster has 3"):
        match_bands(bands(["a", "b", "c"]), chosen=("red", "nir"))


def test_three_unnamed_byte_bands_are_taken_as_colours_with_a_warning():
    found = match_bands(bands(["", "", ""], "uint8"))
    assert found.slots == ("red", "green", "blue") and found.warnings


@pytest.mark.parametrize("names", [[""], ["a", "b"], ["", "", ""], ["B4"], ["QA_PIXEL"], ["band"] * 300])
def test_what_could_be_anything_is_asked(names):
    with pytest.raises(UnknownBands) as error:
        match_bands(bands(names))
    assert "--bands" in str(error.value) and "\n" not in str(error.value)


def test_names_of_data_are_told_from_alpha():
    assert names_a_slot("nir") and names_a_slot("B08")
    assert not names_a_slot("alpha") and not names_a_slot("") and not names_a_slot("Mask")
