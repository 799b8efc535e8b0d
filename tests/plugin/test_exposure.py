"""Exposure: counts on hand-made zones, and the algorithm with the real engine on layers whose answer is known."""

import math
import sys

import numpy as np
import pytest
import support
from osgeo import gdal, osr
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)

EXPOSURE = "hazardmapper:exposure"
X0, Y0, PX = 500_000.0, 5_000_000.0, 10.0
SIZE = 100
UTM = "EPSG:32632"
SCALE = 0.9996**2
"""Areas in UTM over those on the ground at the central meridian, where the test lies."""


def box(left, top, right, bottom):
    """Polygon around columns and rows."""
    return QgsGeometry.fromWkt(
        f"POLYGON(({X0 + left * PX} {Y0 - top * PX}, {X0 + right * PX} {Y0 - top * PX}, {X0 + right * PX} "
        f"{Y0 - bottom * PX}, {X0 + left * PX} {Y0 - bottom * PX}, {X0 + left * PX} {Y0 - top * PX}))"
    )


def line(*points):
    return QgsGeometry.fromWkt("LINESTRING(" + ",".join(f"{X0 + x * PX} {Y0 - y * PX}" for x, y in points) + ")")


def point(x, y):
    return QgsGeometry.fromWkt(f"POINT({X0 + x * PX} {Y0 - y * PX})")


def layer_of(kind, geometries, fields="", values=(), crs=UTM):
    """Layer in memory; geometries are given in UTM and moved to ``crs``."""
    made = QgsVectorLayer(f"{kind}?crs={crs}{fields}", kind, "memory")
    move = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem(UTM), QgsCoordinateReferenceSystem(crs), QgsProject.instance()
    )
    features = []
    for number, geometry in enumerate(geometries):
        feature = QgsFeature(made.fields())
        moved = QgsGeometry(geometry)
        moved.transform(move)
        feature.setGeometry(moved)
        if values:
            feature.setAttributes([values[number]])
        features.append(feature)
    assert made.dataProvider().addFeatures(features)[0]
    return made


@pytest.fixture
def zones(project):
    """Sure 20x20, likely ring to the right 10x20, possible below, not assessed at the far right."""
    from hazard_mapper.hazard_plugin.exposure_counts import Zones

    made = Zones(QgsCoordinateReferenceSystem(UTM), box(0, 0, SIZE, SIZE), project.transformContext())
    made.add(1, box(10, 10, 30, 30))
    made.add(2, box(30, 10, 40, 30))
    made.add(3, box(10, 30, 40, 35))
    made.add(4, box(80, 0, 100, 100))
    return made


def reader_of(layer, zones):
    from hazard_mapper.hazard_plugin.exposure_counts import LayerReader
    from qgis.core import QgsProcessingContext, QgsProcessingFeatureSource

    context = QgsProcessingContext()
    source = QgsProcessingFeatureSource(layer, context)
    source.kept = layer, context
    return LayerReader(source, zones, QgsProject.instance().transformContext(), QgsProcessingFeedback(False))


def numbers(amounts):
    return [amounts.low, amounts.central, amounts.high, amounts.not_assessed, amounts.total]


@pytest.mark.parametrize("crs", [UTM, "EPSG:4326", "EPSG:3857"])
def test_roads_have_their_length_in_each_zone(zones, crs):
    from hazard_mapper.hazard_plugin.exposure_counts import count_roads

    roads = layer_of(
        "LineString", [line((0, 20), (100, 20)), line((20, 0), (20, 100)), line((200, 0), (200, 9))], crs=crs
    )
    expected = [20 + 20, 20 + 10 + 20, 30 + 25, 20, 200]
    found = numbers(count_roads(reader_of(roads, zones), zones))
    assert found == pytest.approx([PX * value / 0.9996 for value in expected], rel=1e-4)


def test_a_road_along_a_common_edge_counts_once_for_the_surer_zone(zones):
    from hazard_mapper.hazard_plugin.exposure_counts import count_roads

    roads = layer_of("LineString", [line((30, 0), (30, 50))])
    found = numbers(count_roads(reader_of(roads, zones), zones))
    assert found == pytest.approx([PX * value / 0.9996 for value in (20, 20, 25, 0, 50)], rel=1e-5)


def test_buildings_are_touched_once_by_the_surest_zone(zones):
    from hazard_mapper.hazard_plugin.exposure_counts import count_buildings

    buildings = [
        box(15, 15, 16, 16),  # sure
        box(29, 12, 31, 14),  # sure and likely
        box(39.5, 12, 41, 13),  # likely by half a pixel
        box(40, 12, 41, 13),  # only shares an edge: not touched
        box(20, 34, 21, 36),  # possible
        box(79, 5, 81, 7),  # partly not assessed
        box(60, 60, 61, 61),  # dry
        box(-5, -5, -1, -1),  # beyond the mask
    ]
    counted, plans = count_buildings(reader_of(layer_of("Polygon", buildings), zones), zones)
    assert numbers(counted) == [2, 3, 4, 1, 7]
    ground = [PX * PX / SCALE * value for value in (1 + 4, 5 + 1.5, 6.5 + 2, 4, 1 + 4 + 1.5 + 1 + 2 + 4 + 1)]
    assert numbers(plans) == pytest.approx(ground, rel=1e-5)


def test_points_are_buildings_without_a_plan(zones):
    from hazard_mapper.hazard_plugin.exposure_counts import count_buildings

    points = [point(20, 20), point(30, 20), point(35, 20), point(60, 60), point(90, 90), point(300, 300)]
    counted, plans = count_buildings(reader_of(layer_of("Point", points), zones), zones)
    assert numbers(counted) == [2, 3, 3, 1, 5] and plans is None


@pytest.mark.parametrize("crs", [UTM, "EPSG:4326"])
def test_land_use_is_measured_by_class(zones, crs):
    from hazard_mapper.hazard_plugin.exposure_counts import count_land_use

    fields = "&field=kind:string"
    land = layer_of(
        "Polygon", [box(0, 0, 50, 20), box(0, 20, 50, 120), box(0, 0, 5, 5)], fields, ["field", "wood", None], crs
    )
    found = count_land_use(reader_of(land, zones), zones, "kind")
    pixel = PX * PX / SCALE
    assert numbers(found["field"]) == pytest.approx([pixel * v for v in (200, 300, 300, 0, 1000)], rel=1e-4)
    assert numbers(found["wood"]) == pytest.approx([pixel * v for v in (200, 300, 450, 0, 4000)], rel=1e-4)
    assert numbers(found[""]) == pytest.approx([0, 0, 0, 0, pixel * 25], rel=1e-4)


def test_people_are_spread_evenly_and_what_is_no_number_is_told(zones):
    from hazard_mapper.hazard_plugin.exposure_counts import count_people

    fields = "&field=people:double"
    blocks = layer_of(
        "Polygon", [box(0, 10, 40, 30), box(90, 0, 110, 10), box(0, 0, 9, 9)], fields, [800.0, 200.0, None]
    )
    amounts, unsaid = count_people(reader_of(blocks, zones), zones, "people")
    assert numbers(amounts) == pytest.approx([400, 600, 600, 100, 900], rel=1e-4) and unsaid == 1


def test_broken_geometries_are_mended_and_counted(zones):
    from hazard_mapper.hazard_plugin.exposure_counts import count_land_use

    bow = QgsGeometry.fromWkt(
        f"POLYGON(({X0 + 100} {Y0 - 100}, {X0 + 200} {Y0 - 200}, {X0 + 200} {Y0 - 100}, {X0 + 100} {Y0 - 200}, "
        f"{X0 + 100} {Y0 - 100}))"
    )
    assert not bow.isGeosValid()
    reader = reader_of(layer_of("Polygon", [bow]), zones)
    found = count_land_use(reader, zones, "")
    assert found[""].low == pytest.approx(5000 / SCALE, rel=1e-5) and (reader.repaired, reader.skipped) == (1, 0)


def test_large_zones_are_cut_without_losing_or_doubling_ground(project):
    from hazard_mapper.hazard_plugin.exposure_counts import Zones, count_land_use, count_roads

    zones = Zones(QgsCoordinateReferenceSystem(UTM), box(0, 0, SIZE, SIZE), project.transformContext())
    round_ = QgsGeometry.fromWkt(f"POINT({X0 + 500} {Y0 - 500})").buffer(400, 250)
    zones.add(2, round_)
    assert len(zones._parts) > 4
    land = count_land_use(reader_of(layer_of("Polygon", [box(0, 0, SIZE, SIZE)]), zones), zones, "")
    assert land[""].central == pytest.approx(math.pi * 400**2 / SCALE, rel=1e-4)
    roads = [line((0, y), (100, y)) for y in range(5, 100, 5)]  # some run along the cuts
    chords = sum(2 * math.sqrt(max(400**2 - (500 - 10 * y) ** 2, 0)) for y in range(5, 100, 5))
    found = count_roads(reader_of(layer_of("LineString", roads), zones), zones)
    assert found.central == pytest.approx(chords / 0.9996, rel=1e-4)


# The algorithm, with the real engine


@pytest.fixture(scope="module")
def engine():
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    made = EngineClient(lambda: EngineLocation(sys.executable, str(support.ROOT)))
    yield made
    made.shutdown()


@pytest.fixture
def real_provider(engine, training, qgis_processing):
    from hazard_mapper.hazard_plugin.provider import HazardProvider

    made = HazardProvider(engine, training)
    QgsApplication.processingRegistry().addProvider(made)
    yield made
    QgsApplication.processingRegistry().removeProvider(made)


def write_bytes(path, values, px=PX, epsg=32632, kind=gdal.GDT_Byte, **tags):
    height, width = values.shape
    raster = gdal.GetDriverByName("GTiff").Create(str(path), width, height, 1, kind)
    raster.SetGeoTransform((X0, px, 0, Y0, 0, -px))
    if epsg:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        raster.SetProjection(reference.ExportToWkt())
    raster.SetMetadata(tags)
    raster.GetRasterBand(1).WriteArray(values)
    raster = None
    return str(path)


@pytest.fixture
def rasters(tmp_path):
    """Mask and probability with the zones of the hand-made ones."""
    mask = np.zeros((SIZE, SIZE), "u1")
    mask[10:30, 10:40] = 1
    mask[:, 80:] = 255
    percent = np.zeros((SIZE, SIZE), "u1")
    percent[10:30, 10:30] = 95
    percent[10:30, 30:40] = 60
    percent[30:35, 10:40] = 40
    percent[:, 80:] = 255
    return {
        "HAZARD_MASK": write_bytes(tmp_path / "mask.tif", mask, HAZARD="flood", HAZARD_THRESHOLD="0.5"),
        "PROBABILITY": write_bytes(tmp_path / "percent.tif", percent, HAZARD="flood"),
    }


def rows_of(path):
    layer = QgsVectorLayer(path, "table", "ogr")
    names = ("low", "central", "high", "not_assessed", "total")
    return {
        (f["item"], f["class"] or ""): [None if str(f[name]) == "NULL" else f[name] for name in names]
        for f in layer.getFeatures()
    }


def test_the_table_holds_what_was_laid_out(real_provider, project, rasters, tmp_path):
    people = write_bytes(tmp_path / "people.tif", np.full((10, 10), 50, "f4"), px=100, kind=gdal.GDT_Float32)
    out = str(tmp_path / "exposure.gpkg")
    results = processing.run(
        EXPOSURE,
        {
            **rasters,
            "BUILDINGS": layer_of("Polygon", [box(15, 15, 16, 16), box(20, 31, 21, 32), box(90, 5, 91, 6)]),
            "ROADS": layer_of("LineString", [line((0, 20), (100, 20))], crs="EPSG:4326"),
            "LAND_USE": layer_of("Polygon", [box(0, 0, 50, 100), box(50, 0, 100, 100)], "&field=k:string", ["a", "b"]),
            "LAND_USE_FIELD": "k",
            "POPULATION_RASTER": people,
            "OUTPUT": out,
        },
    )
    rows = rows_of(out)
    hectare = PX * PX / SCALE / 1e4
    assert rows["hazard", ""] == pytest.approx([hectare * v for v in (400, 600, 750, 2000, 10000)], rel=1e-4)
    assert rows["buildings", ""] == [1, 1, 2, 1, 3]
    assert rows["roads", ""] == pytest.approx([v / 100 / 0.9996 for v in (20, 30, 30, 20, 100)], rel=1e-4)
    assert rows["land_use", "a"] == pytest.approx([hectare * v for v in (400, 600, 750, 0, 5000)], rel=1e-4)
    assert rows["land_use", "b"] == pytest.approx([hectare * v for v in (0, 0, 0, 2000, 5000)], rel=1e-4)
    assert rows["population", ""] == pytest.approx([v / 2 for v in (400, 600, 750, 2000, 10000)], rel=1e-4)
    assert results["BUILDINGS"] == 1 and results["POPULATION"] == pytest.approx(300, rel=1e-4)
    assert results["ROADS_KM"] == pytest.approx(0.3 / 0.9996, rel=1e-4)


def test_without_a_probability_the_range_is_null_and_csv_is_written(real_provider, project, rasters, tmp_path):
    out = str(tmp_path / "exposure.csv")
    parameters = {"HAZARD_MASK": rasters["HAZARD_MASK"], "ROADS": layer_of("LineString", [line((0, 20), (100, 20))])}
    processing.run(EXPOSURE, {**parameters, "OUTPUT": out})
    header, _, roads = open(out, encoding="utf-8").read().splitlines()
    assert header == "item,title,class,unit,source,low,central,high,not_assessed,total"
    values = roads.split(",")
    assert values[0] == "roads" and values[5] == "" and values[7] == "" and float(values[6]) == pytest.approx(0.30012)


def test_cuts_of_the_analyst_are_used(real_provider, project, rasters, tmp_path):
    out = str(tmp_path / "exposure.gpkg")
    points = layer_of("Point", [point(20, 20), point(35, 20), point(20, 32)])
    parameters = {**rasters, "BUILDINGS": points, "LOW_PERCENT": 55, "HIGH_PERCENT": 45, "OUTPUT": out}
    processing.run(EXPOSURE, parameters)
    assert rows_of(out)["buildings", ""] == [2, 2, 2, 0, 3]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ROADS": None}, "Nothing to count"),
        ({"LOW_PERCENT": 20, "HIGH_PERCENT": 80}, "stricter"),
        ({"PROBABILITY": None, "LOW_PERCENT": 80}, "needs a probability"),
        ({"HAZARD_MASK": "/nowhere/mask.tif"}, "/nowhere/mask.tif"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(real_provider, project, rasters, tmp_path, change, words):
    roads = layer_of("LineString", [line((0, 20), (100, 20))])
    out = tmp_path / "exposure.gpkg"
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(EXPOSURE, {**rasters, "ROADS": roads, "OUTPUT": str(out), **change})
    assert words in str(caught.value) and "Traceback" not in str(caught.value) and not out.exists()


def test_cancel_writes_nothing(real_provider, project, rasters, tmp_path):
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    out = tmp_path / "exposure.gpkg"
    roads = layer_of("LineString", [line((0, 20), (100, 20))])
    processing.run(EXPOSURE, {**rasters, "ROADS": roads, "OUTPUT": str(out)}, feedback=feedback)
    assert not out.exists()


def test_a_loaded_table_is_named_and_marked(real_provider, project, rasters):
    from hazard_mapper.hazard_plugin.layer_origin import kind_of_layer, origin_of, remember_origin
    from qgis.core import QgsProcessingContext, QgsRasterLayer

    mask = QgsRasterLayer(rasters["HAZARD_MASK"], "Flood - Po")
    project.addMapLayer(mask)
    remember_origin(mask, "mask", run="r1", hazard="flood", scene="Po")
    context = QgsProcessingContext()
    context.setProject(project)
    roads = layer_of("LineString", [line((0, 20), (100, 20))])
    parameters = {"HAZARD_MASK": mask, "ROADS": roads, "OUTPUT": "TEMPORARY_OUTPUT"}
    processing.runAndLoadResults(EXPOSURE, parameters, context=context)
    (table,) = [made for made in project.mapLayers().values() if kind_of_layer(made) == "exposure"]
    assert table.name() == "Exposure to flood - Po" and origin_of(table)["run"] == "r1"
    assert [feature["item"] for feature in table.getFeatures()] == ["hazard", "roads"]


@pytest.mark.parametrize("turn", [0.0, 0.6])
def test_masks_in_degrees_and_turned_masks_are_measured_on_the_ground(real_provider, project, tmp_path, turn):
    mask = np.zeros((60, 80), "u1")
    mask[10:40, 20:60] = 1
    path = tmp_path / "mask.tif"
    raster = gdal.GetDriverByName("GTiff").Create(str(path), 80, 60, 1, gdal.GDT_Byte)
    step, cosine, sine = 1e-4, math.cos(turn), math.sin(turn)
    raster.SetGeoTransform((9.0, step * cosine, step * sine, 45.0, step * sine, -step * cosine))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    raster.SetProjection(reference.ExportToWkt())
    raster.GetRasterBand(1).WriteArray(mask)
    raster = None
    around = QgsGeometry.fromWkt("POLYGON((8.9 44.9, 9.1 44.9, 9.1 45.1, 8.9 45.1, 8.9 44.9))")
    land = QgsVectorLayer("Polygon?crs=EPSG:4326", "land", "memory")
    feature = QgsFeature()
    feature.setGeometry(around)
    land.dataProvider().addFeatures([feature])
    out = str(tmp_path / "exposure.gpkg")
    processing.run(EXPOSURE, {"HAZARD_MASK": str(path), "LAND_USE": land, "OUTPUT": out})
    rows = rows_of(out)
    radians, e2 = math.radians(44.9975), 0.00669437999014
    north = 6378137 * (1 - e2) / (1 - e2 * math.sin(radians) ** 2) ** 1.5
    east = 6378137 * math.cos(radians) / math.sqrt(1 - e2 * math.sin(radians) ** 2)
    pixel_ha = math.radians(step) ** 2 * north * east / 1e4
    assert rows["land_use", ""][1] == pytest.approx(30 * 40 * pixel_ha, rel=2e-4)
    assert rows["land_use", ""][4] == pytest.approx(60 * 80 * pixel_ha, rel=2e-4)
    assert rows["hazard", ""][1] == pytest.approx(rows["land_use", ""][1], rel=2e-4)
