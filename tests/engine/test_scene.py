"""Reading: what GDAL stores becomes slot values and a valid mask, as numpy computes them from the same numbers."""

import math

import numpy as np
import pytest
from osgeo import gdal
from scenes import Making, write_raster

from engine.inspect_scene import inspect_scene
from engine.protocol import BadInput, InspectJob, SceneJob
from engine.raster import Scene, Window
from engine.raster import scene as scene_module
from engine.raster.sampling import MOST_SIDE_BY_SIDE, sample_windows, side_by_side


def read_scene(path, **job):
    """Values and valid mask of a whole scene, and how it was understood."""
    with Scene(SceneJob(raster=str(path), **job)) as scene:
        understanding = scene.understand()
        values, valid = scene.read_window(Window(0, 0, scene.width, scene.height), understanding)
        return values, valid, understanding


NUMBERS = np.arange(20 * 30).reshape(20, 30) % 120 + 1


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_every_dtype_gives_the_stored_numbers(tmp_path, dtype):
    path = write_raster(tmp_path / "s.tif", NUMBERS.astype(dtype))
    values, valid, _ = read_scene(path, bands=("green",), units="raw")
    assert np.array_equal(values[0], NUMBERS)
    assert valid.all()


def test_signed_bytes_are_signed(tmp_path):
    numbers = (NUMBERS - 60).astype("i1")
    if hasattr(gdal, "GDT_Int8"):  # since GDAL 3.7 a type of its own
        path = write_raster(tmp_path / "s.tif", numbers, gdal_type=gdal.GDT_Int8)
    else:
        path = write_raster(tmp_path / "s.tif", numbers.view("u1"), options=["PIXELTYPE=SIGNEDBYTE"])
    values, valid, _ = read_scene(path, bands=("green",), units="raw")
    assert np.array_equal(values[0], numbers)
    assert valid.all()


@pytest.mark.parametrize("kind", [gdal.GDT_CInt16, gdal.GDT_CInt32, gdal.GDT_CFloat32, gdal.GDT_CFloat64])
def test_complex_bands_are_refused_in_one_sentence(tmp_path, kind):
    path = write_raster(tmp_path / "s.tif", NUMBERS.astype("f4"), gdal_type=kind)
    with pytest.raises(BadInput, match="complex") as error:
        read_scene(path, bands=("vv",))
    assert "\n" not in str(error.value)


def test_a_message_that_is_no_text_becomes_a_sentence(tmp_path, monkeypatch):
    """GDAL 3.10 fails to raise an error whose message quotes bytes of a damaged file."""

    def fail(*_, **__):
        b"Illegal name: \xeb in the header.".decode()

    path = write_raster(tmp_path / "s.tif", NUMBERS.astype("u1"))
    monkeypatch.setattr(gdal, "OpenEx", fail)
    with pytest.raises(BadInput) as error:
        read_scene(path)
    assert "cannot be opened as a raster (Illegal name: \N{REPLACEMENT CHARACTER} in the header)" in str(error.value)


def test_bands_of_different_types_keep_their_numbers(tmp_path):
    a = write_raster(tmp_path / "a.tif", NUMBERS.astype("u1"))
    b = write_raster(tmp_path / "b.tif", (NUMBERS / 1000).astype("f4"))
    c = write_raster(tmp_path / "c.tif", (NUMBERS * 300).astype("u2"))
    gdal.BuildVRT(str(tmp_path / "s.vrt"), [a, b, c], separate=True).FlushCache()
    values, valid, _ = read_scene(tmp_path / "s.vrt", bands=("blue", "green", "red"), units="raw")
    assert np.allclose(values, [NUMBERS, NUMBERS / 1000, NUMBERS * 300])
    assert valid.all()


@pytest.mark.parametrize(
    "order", [("red", "green", "blue", "nir"), ("nir", "-", "blue", "green"), ("-", "-", "-", "vv")]
)
def test_slots_come_in_canonical_order_whatever_the_band_order(tmp_path, order):
    stored = np.stack([NUMBERS + 10 * i for i in range(4)]).astype("i2")
    path = write_raster(tmp_path / "s.tif", stored)
    values, _, understanding = read_scene(path, bands=order, units="raw")
    canonical = [s for s in ("coastal", "blue", "green", "red", "nir", "swir1", "swir2", "vv", "vh") if s in order]
    assert understanding.match.used_slots == tuple(canonical)
    assert np.array_equal(values, np.stack([stored[order.index(slot)] for slot in canonical]))


def test_scale_and_offset_apply_before_units(tmp_path):
    stored = NUMBERS.astype("u2") * 50
    path = write_raster(tmp_path / "s.tif", stored, scale_offset=(0.0001, -0.1), names=["green"])
    values, _, understanding = read_scene(path)
    assert understanding.units.name == "reflectance"
    assert np.allclose(values[0], stored * 0.0001 - 0.1, atol=1e-6)


def test_units_of_stored_numbers_pass_the_files_scale_by(tmp_path):
    stored = NUMBERS.astype("u2") * 50
    path = write_raster(tmp_path / "s.tif", stored, scale_offset=(0.0001, 0), names=["green"])
    values, _, _ = read_scene(path, units="reflectance*10000")
    assert np.allclose(values[0], stored / 10000, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [("u1", 0), ("u1", 255), ("i2", -9999), ("u2", 65535), ("i4", -(2**31)), ("u4", 2**32 - 1), ("i8", -(2**63)),
     ("i8", 2**63 - 1), ("i8", 2**53 + 1), ("u8", 2**64 - 1), ("f4", -9999), ("f4", 0.1), ("f4", math.nan),
     ("f4", -3.4028234663852886e38), ("f4", 3.4028234663852886e38), ("f8", -3.4028234663852886e38),
     ("f8", -1.7976931348623157e308), ("f8", 1e20), ("f4", math.inf), ("f4", -math.inf)],
)  # fmt: skip
def test_nodata_is_not_valid_and_its_neighbours_are(tmp_path, dtype, nodata):
    stored = NUMBERS.astype(dtype)
    holes = np.random.default_rng(1).random(stored.shape) < 0.3
    stored[holes] = np.array(nodata).astype(dtype)
    path = write_raster(tmp_path / "s.tif", stored, nodata=[nodata])
    _, valid, _ = read_scene(path, bands=("green",), units="raw")
    assert np.array_equal(valid, ~holes)


@pytest.mark.parametrize("text", ["-3.4028235e+38", "-3.40282347e+38", "-3.4e+38", "-3.402823e+38"])
def test_lowest_float_is_nodata_however_many_digits_were_written(tmp_path, text):
    stored = NUMBERS.astype("f4")
    stored[3, 4] = np.finfo("f4").min
    source = write_raster(tmp_path / "a.tif", stored)
    xml = tmp_path / "s.vrt"
    gdal.Translate(str(xml), source, format="VRT", noData=1).FlushCache()
    xml.write_text(xml.read_text().replace("<NoDataValue>1</NoDataValue>", f"<NoDataValue>{text}</NoDataValue>"))
    _, valid, _ = read_scene(xml, bands=("green",), units="raw")
    assert not valid[3, 4]
    assert valid.sum() == valid.size - 1


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("u1", "-9999"), ("u1", "256"), ("u1", "nan"), ("i2", "1e30"), ("u2", "0.5")]
)
def test_nodata_that_the_type_cannot_hold_marks_nothing(tmp_path, dtype, nodata):
    source = write_raster(tmp_path / "a.tif", NUMBERS.astype(dtype))
    xml = tmp_path / "s.vrt"
    gdal.Translate(str(xml), source, format="VRT", noData=77).FlushCache()
    xml.write_text(xml.read_text().replace("<NoDataValue>77</NoDataValue>", f"<NoDataValue>{nodata}</NoDataValue>"))
    _, valid, _ = read_scene(xml, bands=("green",), units="raw")
    assert valid.all()


@pytest.mark.parametrize("nodata", ["0", "3", "256", None])
def test_what_a_mosaic_leaves_empty_is_read_as_if_it_were_stored(tmp_path, nodata, monkeypatch):
    source = write_raster(tmp_path / "a.tif", NUMBERS.astype("u1"))
    rows, columns = NUMBERS.shape
    xml = tmp_path / "s.vrt"
    around = [-columns, -rows, 3 * columns, 3 * rows]
    gdal.Translate(str(xml), source, format="VRT", srcWin=around, noData=77).FlushCache()
    told = f"<NoDataValue>{nodata}</NoDataValue>" if nodata else ""
    xml.write_text(xml.read_text().replace("<NoDataValue>77</NoDataValue>", told))
    plain = gdal.Open(str(xml)).ReadAsArray()
    place = Window(0, 0, columns, rows)
    with Scene(SceneJob(raster=str(xml), bands=("green",), units="raw")) as scene:
        understanding = scene.understand()
        asked = []
        stored = Scene._read_stored
        monkeypatch.setattr(Scene, "_read_stored", lambda *told: (asked.append(told[1]), stored(*told))[1])
        values, valid = scene.read_window(place, understanding)
        assert np.array_equal(values[0][valid], plain[:rows, :columns][valid])
        assert valid.all() == (nodata in ("256", None)) and valid.any() == valid.all()
        assert (place in asked) == valid.all()
        assert scene.read_window(Window(columns, rows, columns, rows), understanding)[1].any()


def test_nodata_is_looked_up_band_by_band(tmp_path):
    stored = np.stack([NUMBERS, NUMBERS, NUMBERS]).astype("i2")
    paths = [write_raster(tmp_path / f"{n}.tif", NUMBERS.astype("i2"), nodata=[n]) for n in (5, 6, 7)]
    gdal.BuildVRT(str(tmp_path / "s.vrt"), paths, separate=True).FlushCache()
    _, valid, _ = read_scene(tmp_path / "s.vrt", bands=("blue", "green", "red"), units="raw")
    assert np.array_equal(valid, (stored[0] != 5) & (stored[1] != 6) & (stored[2] != 7))


def test_nodata_of_an_unused_band_does_not_matter(tmp_path):
    paths = [write_raster(tmp_path / f"{n}.tif", NUMBERS.astype("i2"), nodata=[n]) for n in (5, 6)]
    gdal.BuildVRT(str(tmp_path / "s.vrt"), paths, separate=True).FlushCache()
    _, valid, _ = read_scene(tmp_path / "s.vrt", bands=("blue", "-"), units="raw")
    assert np.array_equal(valid, NUMBERS != 5)


def test_nan_and_infinity_are_not_valid(tmp_path):
    stored = NUMBERS.astype("f4") / 200
    stored[0, 0], stored[1, 1], stored[2, 2] = np.nan, np.inf, -np.inf
    values, valid, _ = read_scene(write_raster(tmp_path / "s.tif", stored, names=["green"]))
    assert np.array_equal(valid, np.isfinite(stored))
    assert np.isfinite(values).all()


def test_float64_beyond_float32_is_not_valid(tmp_path):
    stored = NUMBERS.astype("f8")
    stored[0, 0] = 1e300
    _, valid, _ = read_scene(write_raster(tmp_path / "s.tif", stored), bands=("green",), units="raw")
    assert not valid[0, 0]
    assert valid.sum() == valid.size - 1


def test_zero_backscatter_in_linear_power_is_not_valid(tmp_path):
    stored = np.stack([NUMBERS / 500, NUMBERS / 1000]).astype("f4")
    stored[:, :3] = 0
    values, valid, _ = read_scene(write_raster(tmp_path / "s.tif", stored, names=["VV", "VH"]), units="linear")
    assert not valid[:3].any()
    assert valid[3:].all()
    assert np.allclose(values[0, 3:], 10 * np.log10(stored[0, 3:]), atol=1e-4)


RGB = np.stack([NUMBERS, NUMBERS[::-1], NUMBERS[:, ::-1]]).astype("u1")


def test_alpha_says_what_is_valid_and_is_not_a_band(tmp_path):
    alpha = np.where(NUMBERS % 3 == 0, 0, 255).astype("u1")
    path = write_raster(tmp_path / "s.tif", np.concatenate([RGB, alpha[None]]))
    values, valid, understanding = read_scene(path)
    assert understanding.match.slots == ("red", "green", "blue")
    assert len(values) == 3
    assert np.array_equal(valid, alpha > 0)


@pytest.mark.parametrize("bands", [("red", "green", "blue"), ("red", "green", "blue", "-")])
def test_a_slot_for_the_alpha_band_may_be_given_or_left_out(tmp_path, bands):
    alpha = np.where(NUMBERS % 3 == 0, 0, 255).astype("u1")
    path = write_raster(tmp_path / "s.tif", np.concatenate([RGB, alpha[None]]))
    _, valid, understanding = read_scene(path, bands=bands)
    assert understanding.match.used_slots == ("blue", "green", "red")
    assert np.array_equal(valid, alpha > 0)


def test_a_band_marked_alpha_by_mistake_is_data_when_given_a_slot(tmp_path):
    near_infrared = (NUMBERS % 50).astype("u1")  # GDAL marks the fourth byte band as alpha unless told otherwise
    path = write_raster(tmp_path / "s.tif", np.concatenate([RGB, near_infrared[None]]))
    values, valid, _ = read_scene(path, bands=("red", "green", "blue", "nir"))
    assert np.allclose(values[3] * 255, near_infrared, atol=1e-3)
    assert valid.all()


def test_a_band_marked_alpha_but_named_as_data_is_data(tmp_path):
    stored = np.concatenate([RGB, (NUMBERS % 50).astype("u1")[None]])
    path = write_raster(tmp_path / "s.tif", stored, names=["red", "green", "blue", "nir"])
    _, valid, understanding = read_scene(path)
    assert understanding.match.slots == ("red", "green", "blue", "nir")
    assert valid.all()


@pytest.mark.parametrize("internal", [True, False])
def test_a_mask_of_the_whole_file_says_what_is_valid(tmp_path, internal):
    path = write_raster(tmp_path / "s.tif", RGB)
    hidden = np.where(NUMBERS % 4 == 0, 0, 255).astype("u1")
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES" if internal else "NO")
    dataset = gdal.Open(path, gdal.GA_Update)
    dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
    dataset.GetRasterBand(1).GetMaskBand().WriteArray(hidden)
    dataset = None
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", None)
    assert (tmp_path / "s.tif.msk").exists() is not internal
    _, valid, _ = read_scene(path)
    assert np.array_equal(valid, hidden > 0)


def test_masks_of_single_bands_say_what_is_valid(tmp_path):
    path = write_raster(tmp_path / "s.tif", RGB)
    dataset = gdal.Open(path)
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "NO")
    for i in range(3):
        dataset.GetRasterBand(i + 1).CreateMaskBand(0)
        dataset.GetRasterBand(i + 1).GetMaskBand().WriteArray(np.where(NUMBERS == 5 + i, 0, 255).astype("u1"))
    dataset = None
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", None)
    _, valid, _ = read_scene(path)
    assert np.array_equal(valid, (NUMBERS != 5) & (NUMBERS != 6) & (NUMBERS != 7))


def test_fill_of_zeros_in_all_bands_is_not_a_measurement_in_product_units(tmp_path):
    stored = np.stack([NUMBERS * 20 + 1500, NUMBERS * 30 + 1300, NUMBERS * 10 + 2000]).astype("u2")
    stored[:, :, :12] = 0  # ESA and USGS: 0 is fill
    stored[0, 5, 20] = 0  # a single dark band is a measurement
    path = write_raster(tmp_path / "s.tif", stored, names=["B02", "B03", "B04"])
    _, valid, understanding = read_scene(path, sensor="sentinel-2-l2a")
    assert understanding.units.name == "reflectance*10000-1000"
    assert not valid[:, :12].any()
    assert valid[:, 12:].all()


@pytest.mark.parametrize("driver", ["PNG", "JPEG", "ENVI", "HFA", "PCIDSK", "GPKG", "JP2OpenJPEG", "AAIGrid", "netCDF"])
def test_other_formats_are_read(tmp_path, driver):
    if gdal.GetDriverByName(driver) is None:
        pytest.skip(f"GDAL has no {driver} driver here")
    stored = RGB[:1] if driver in ("AAIGrid", "netCDF") else RGB
    source = gdal.Open(write_raster(tmp_path / "a.tif", stored))
    suffix = {"JP2OpenJPEG": "jp2", "AAIGrid": "asc", "GPKG": "gpkg", "netCDF": "nc", "HFA": "img"}.get(driver, "dat")
    path = tmp_path / f"s.{suffix}"
    lossless = {"JP2OpenJPEG": ["REVERSIBLE=YES", "QUALITY=100"], "GPKG": ["TILE_FORMAT=PNG"]}
    gdal.GetDriverByName(driver).CreateCopy(str(path), source, options=lossless.get(driver, []))
    values, valid, _ = read_scene(
        path, bands=("green",) if len(stored) == 1 else ("red", "green", "blue"), units="byte"
    )
    tall, wide = stored.shape[1:]
    tolerance = 60 if driver == "JPEG" else 0.01
    assert np.abs(values[-1, :tall, :wide] * 255 - stored[0]).max() < tolerance
    assert valid[:tall, :wide].all()


def test_archives_are_read_through_gdals_paths_and_explained_when_given_plainly(tmp_path):
    import gzip
    import zipfile

    path = write_raster(tmp_path / "s.tif", RGB)
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.write(path, "inner/s.tif")
    with gzip.open(tmp_path / "s.tif.gz", "wb") as archive:
        archive.write((tmp_path / "s.tif").read_bytes())
    for inside in (f"/vsizip/{tmp_path}/s.zip/inner/s.tif", f"/vsigzip/{tmp_path}/s.tif.gz"):
        assert read_scene(inside)[1].all()
    with pytest.raises(BadInput, match=r"/vsizip/.*inner/s\.tif"):
        read_scene(tmp_path / "s.zip")
    with pytest.raises(BadInput, match="/vsigzip/"):
        read_scene(tmp_path / "s.tif.gz")


def test_a_container_of_several_rasters_names_them(tmp_path):
    if gdal.GetDriverByName("GPKG") is None:
        pytest.skip("GDAL has no GPKG driver here")
    source = gdal.Open(write_raster(tmp_path / "a.tif", RGB))
    for i, table in enumerate(("one", "two")):
        options = [f"RASTER_TABLE={table}", *(["APPEND_SUBDATASET=YES"] if i else [])]
        gdal.GetDriverByName("GPKG").CreateCopy(str(tmp_path / "s.gpkg"), source, options=options)
    with pytest.raises(BadInput, match=r"2 rasters.*GPKG:.*one"):
        read_scene(tmp_path / "s.gpkg")
    assert read_scene(f"GPKG:{tmp_path}/s.gpkg:one", bands=("red", "green", "blue"))[1].any()


def test_a_mosaic_of_several_files_is_one_scene(tmp_path):
    left = write_raster(tmp_path / "l.tif", RGB[0, :, :15], nodata=[0])
    right = write_raster(tmp_path / "r.tif", RGB[0, :, 20:], nodata=[0], geotransform=(500200, 10, 0, 5100000, 0, -10))
    gdal.BuildVRT(str(tmp_path / "s.vrt"), [left, right]).FlushCache()
    values, valid, _ = read_scene(tmp_path / "s.vrt", bands=("green",), units="raw")
    assert np.array_equal(valid[0], np.r_[np.ones(15), np.zeros(5), np.ones(10)].astype(bool))
    assert np.array_equal(values[0][:, 20:], RGB[0, :, 20:])


def test_a_raster_that_is_not_there_is_said_in_one_sentence(tmp_path):
    with pytest.raises(BadInput, match="There is no raster"):
        read_scene(tmp_path / "none.tif")
    with pytest.raises(BadInput):
        read_scene("a\0b.tif")
    with pytest.raises(BadInput):
        read_scene(tmp_path)


def test_pipes_and_devices_are_refused_instead_of_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.tif")
    with pytest.raises(BadInput, match="not a file"):
        read_scene(tmp_path / "pipe.tif")
    with pytest.raises(BadInput, match="not a file"):
        read_scene("/dev/zero")


@pytest.mark.parametrize(
    "name", ["with space.tif", "Überflutung 洪水.tif", "a\nb.tif", "-leading.tif", "x" * 200 + ".tif", "q?a=b&c.tif"]
)
def test_any_file_name_is_read(tmp_path, name, monkeypatch):
    write_raster(tmp_path / name, RGB)
    assert read_scene(tmp_path / name)[1].all()
    monkeypatch.chdir(tmp_path)
    assert read_scene(name)[1].all()


@pytest.mark.parametrize(
    ("width", "height", "block"),
    [(1, 1, (1, 1)), (1_000_000, 3, (1_000_000, 1)), (3, 2_000_000, (3, 1)), (10980, 10980, (10980, 1)),
     (10980, 10980, (1024, 1024)), (10980, 10980, (16, 16)), (10980, 10980, (10980, 10980)), (5000, 5000, (5000, 7)),
     (20_000, 20_000, (20_000, 512)), (40_000, 300, (128, 128)), (2001, 2001, (256, 256)),
     (300_000, 300_000, (64, 64))],
)  # fmt: skip
def test_samples_stay_inside_and_reach_all_parts(width, height, block):
    windows = sample_windows(width, height, block, 1_000_000)
    assert all(w.width >= 1 and w.height >= 1 and w.x >= 0 and w.y >= 0 for w in windows)
    assert all(w.x + w.width <= width and w.y + w.height <= height for w in windows)
    pixels = sum(w.width * w.height for w in windows)
    assert min(width * height, 250_000) <= pixels <= max(20_000_000, 8 * width)
    assert max(w.y + w.height for w in windows) > 0.8 * height
    assert max(w.x + w.width for w in windows) > 0.8 * width


def test_windows_that_touch_are_read_at_once_and_sampled_as_if_they_were_not(tmp_path, monkeypatch):
    values = np.random.default_rng(5).uniform(0, 1, (2, 1100, 1370)).astype("f4")
    options = ["TILED=YES", "BLOCKXSIZE=128", "BLOCKYSIZE=128"]
    path = write_raster(tmp_path / "s.tif", values, names=["green", "nir"], options=options)
    with Scene(SceneJob(raster=path)) as scene, Scene(SceneJob(raster=path)) as again:
        monkeypatch.setattr(scene_module, "SAMPLE_PX", 200_000)
        together = scene._sample((0, 1))
        monkeypatch.setattr(scene_module, "side_by_side", lambda windows: ([window] for window in windows))
        apart = again._sample((0, 1))
    assert all(np.array_equal(one, two) for one, two in zip(together, apart, strict=True))
    groups = list(side_by_side(sample_windows(1370, 1100, (128, 128), 200_000)))
    assert 1 < max(map(len, groups)) <= MOST_SIDE_BY_SIDE


def test_percentiles_are_those_of_the_valid_pixels(tmp_path):
    generator = np.random.default_rng(3)
    stored = generator.uniform(0, 1, (2, 700, 900)).astype("f4")
    stored[:, :200] = -9999
    path = write_raster(tmp_path / "s.tif", stored, nodata=[-9999], names=["green", "nir"])
    with Scene(SceneJob(raster=path)) as scene:
        low, high = scene.percentiles(scene.understand())
    assert np.allclose(low, np.percentile(stored[:, 200:], 2, axis=(1, 2)), atol=0.002)
    assert np.allclose(high, np.percentile(stored[:, 200:], 98, axis=(1, 2)), atol=0.002)


def test_a_truncated_file_is_bad_input(tmp_path):
    path = write_raster(tmp_path / "s.tif", np.random.default_rng(0).integers(0, 255, (3, 400, 400)).astype("u1"))
    content = (tmp_path / "s.tif").read_bytes()
    (tmp_path / "s.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match=r"damaged or incomplete|cannot be opened"):
        read_scene(path)


@pytest.mark.parametrize(
    ("columns", "rows", "bands"), [(2_000_000_000, 2_000_000_000, 1), (10, 10, 65535), (1_000_000, 2_000_000_000, 1)]
)
def test_absurd_sizes_are_refused_at_once(tmp_path, columns, rows, bands):
    band = "".join(f'<VRTRasterBand dataType="Byte" band="{i + 1}"/>' for i in range(bands))
    path = tmp_path / "s.vrt"
    path.write_text(f'<VRTDataset rasterXSize="{columns}" rasterYSize="{rows}">{band}</VRTDataset>')
    with pytest.raises(BadInput, match="at most"):
        read_scene(path, bands=("green",))


def test_sizes_beyond_any_scene_are_named_by_inspect(tmp_path):
    path = write_raster(tmp_path / "s.tif", RGB, making=Making(crs=None, geotransform=None))
    found = inspect_scene(InspectJob(raster=path))
    assert (found["width"], found["height"], found["crs"], found["gsd_m"]) == (30, 20, None, 10.0)
    assert any("10 m is assumed" in text for text in found["warnings"])
