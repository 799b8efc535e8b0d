"""The emergency package, opened again with GDAL: names, columns, areas, what was not analysed, and what is refused."""

import hashlib
import itertools
import json
import math
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsVectorLayer,
)
from support import ROOT, hidden_files, wait_until

gdal.UseExceptions()
ogr.UseExceptions()
osr.UseExceptions()

ALGORITHM = "hazardmapper:emergencypackage"
STEM = "EMSR000_AOI01_DEL_PRODUCT"
LAYERS = ("observedEventA", "areaOfInterestA", "imageFootprintA", "source")
PUBLISHED = re.compile(
    r"EMSR\d{3,4}_AOI\d{2}_(DEL|FEP|GRA)_(PRODUCT|MONIT\d{2})_(observedEventA|areaOfInterestA|imageFootprintA|source)"
    r"_r\d+_v\d+"
)
COLUMNS = {
    "observedEventA": ["event_type", "obj_desc", "det_method", "notation", "dmg_src_id", "area"],
    "areaOfInterestA": ["emsr_id", "glide_no", "area_id", "locality", "map_type"],
    "imageFootprintA": ["obj_type", "or_src_id"],
    "source": ["source_nam", "src_date", "source_tm", "sensor_gsd", "eventphase", "src_id"],
}
LEFT, TOP, PIXEL, WIDTH, HEIGHT = 500_000.0, 4_900_000.0, 10.0, 100, 80
FIELDS = (
    "hazard:string,area_m2:double,area_ha:double,prob_mean:double,prob_min:double,scene:string,scene_date:string,"
    "model:string,threshold:double,det_method:string,origin:string"
)
TAGS = {
    "HAZARD": "flood",
    "HAZARD_MODEL": "unet",
    "HAZARD_MODEL_SHA256": "ab" * 32,
    "HAZARD_SCENE": "S2_scene.tif",
    "HAZARD_SCENE_SHA256": "cd" * 32,
    "HAZARD_SCENE_DATE": "2024-09-16",
    "HAZARD_SENSOR": "sentinel-2-l2a",
    "HAZARD_THRESHOLD": "0.45",
}


@pytest.fixture(scope="module")
def engine(qgis_app):
    """A client with the real engine: its jobs of delivery need no network and no model."""
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    client = EngineClient(lambda: EngineLocation(sys.executable, str(ROOT)))
    yield client
    client.shutdown()


@pytest.fixture
def registered(engine, training, qgis_processing):
    from hazard_mapper.hazard_plugin.provider import HazardProvider

    made = HazardProvider(engine, training)
    QgsApplication.processingRegistry().addProvider(made)
    yield made
    QgsApplication.processingRegistry().removeProvider(made)


def box(column, row, columns, rows):
    """WKT ring of pixels of the mask's grid."""
    x0, x1 = LEFT + PIXEL * column, LEFT + PIXEL * (column + columns)
    y0, y1 = TOP - PIXEL * row, TOP - PIXEL * (row + rows)
    return f"({x0} {y0}, {x1} {y0}, {x1} {y1}, {x0} {y1}, {x0} {y0})"


WITH_HOLE = f"MULTIPOLYGON(({box(10, 10, 30, 20)}, {box(15, 15, 5, 5)}))"


def polygon_layer(shapes, crs="EPSG:32633", fields=FIELDS):
    columns = "".join(f"&field={field}" for field in fields.split(",") if field)
    layer = QgsVectorLayer(f"MultiPolygon?crs={crs}{columns}", "flood polygons", "memory")
    features = []
    for wkt, origin in shapes:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        method = "Photo-interpretation" if origin == "manual" else "Semi-automatic extraction"
        known = {
            "hazard": "flood",
            "area_ha": -1.0,
            "scene": "S2_scene.tif",
            "scene_date": "2024-09-16",
            "model": "unet",
            "threshold": 0.45,
            "det_method": method,
            "origin": origin,
        }
        for name, value in known.items():
            if layer.fields().indexOf(name) >= 0:
                feature.setAttribute(name, value)
        features.append(feature)
    assert layer.dataProvider().addFeatures(features)[0]
    return layer


def write_mask(path, tags=TAGS, epsg=32633, geotransform=None):
    """Hazard where the polygons are, and a cloud of 20 x 10 pixels in the lower right corner."""
    raster = gdal.GetDriverByName("GTiff").Create(str(path), WIDTH, HEIGHT, 1, gdal.GDT_Byte)
    raster.SetGeoTransform(geotransform or (LEFT, PIXEL, 0, TOP, 0, -PIXEL))
    if epsg:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        raster.SetProjection(reference.ExportToWkt())
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[10:30, 10:40] = 1
    values[15:20, 15:20] = 0
    values[70:80, 80:100] = 255
    raster.GetRasterBand(1).WriteArray(values)
    raster.GetRasterBand(1).SetNoDataValue(255)
    raster.GetRasterBand(1).SetDescription("Flood")
    raster.SetMetadata(tags)
    raster = None
    return str(path)


@pytest.fixture
def mask(tmp_path):
    return write_mask(tmp_path / "mask.tif")


@pytest.fixture
def polygons(project):
    layer = polygon_layer([(WITH_HOLE, "model"), (f"POLYGON({box(60, 40, 4, 4)})", "manual")])
    project.addMapLayer(layer)
    return layer


@pytest.fixture
def deliver(registered, polygons, mask, tmp_path):
    def run(**parameters):
        values = {"POLYGONS": polygons, "MASK": mask, "FOLDER": str(tmp_path / "out"), **parameters}
        return processing.run(ALGORITHM, {key: value for key, value in values.items() if value is not None})

    return run


def refusal(deliver, **parameters):
    with pytest.raises(QgsProcessingException) as caught:
        deliver(**parameters)
    return [line for line in str(caught.value).splitlines() if line.strip()][-1]


def layer_name(kind, stem=STEM, edition="r1_v1"):
    return f"{stem}_{kind}_{edition}"


def read(package, kind, form="gpkg"):
    """Columns with types, rows and geometries of a layer as GDAL reads them."""
    name = layer_name(kind)
    if form == "gpkg":
        source = ogr.Open(os.path.join(package, f"{STEM}_r1_v1.gpkg"))
        layer = source.GetLayerByName(name)
    else:
        source = ogr.Open(os.path.join(package, name + (".dbf" if kind == "source" else ".shp")))
        layer = source.GetLayer(0)
    definition = layer.GetLayerDefn()
    columns = [
        (definition.GetFieldDefn(i).GetName(), definition.GetFieldDefn(i).GetTypeName())
        for i in range(definition.GetFieldCount())
    ]
    rows, shapes = [], []
    for feature in layer:
        rows.append(feature.items())
        shapes.append(feature.GetGeometryRef().Clone() if feature.GetGeometryRef() else None)
    return columns, rows, shapes, layer.GetSpatialRef()


def authalic_hectares(shape):
    """Area on the ellipsoid of WGS 84: a cylinder of equal area, on which what bounds small polygons is straight."""
    a, e = 6378137.0, math.sqrt(2 / 298.257223563 - 298.257223563**-2)

    def height(latitude):
        s = math.sin(math.radians(latitude))
        return (1 - e * e) * a / 2 * (s / (1 - (e * s) ** 2) - math.log((1 - e * s) / (1 + e * s)) / (2 * e))

    def ring_area(ring):
        points = [(a * math.radians(x), height(y)) for x, y, *_ in ring.GetPoints()]
        return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in itertools.pairwise(points))) / 2

    def polygon_area(polygon):
        rings = [ring_area(polygon.GetGeometryRef(i)) for i in range(polygon.GetGeometryCount())]
        return rings[0] - sum(rings[1:])

    if shape.GetGeometryName() == "POLYGON":
        return polygon_area(shape) / 1e4
    return sum(polygon_area(shape.GetGeometryRef(i)) for i in range(shape.GetGeometryCount())) / 1e4


@pytest.mark.parametrize("form", ["gpkg", "shp"])
def test_layers_have_the_published_names_columns_types_and_coordinates(deliver, form):
    package = deliver()["PACKAGE"]
    assert os.path.basename(package) == f"{STEM}_r1_v1"
    for kind in LAYERS:
        columns, _, _, crs = read(package, kind, form)
        assert [name for name, _ in columns] == COLUMNS[kind] and all(len(name) <= 10 for name, _ in columns)
        kinds = dict(columns)
        whole = {"dmg_src_id", "or_src_id", "src_id"}
        assert all(kinds[name] == "Integer" for name in whole & set(kinds))
        assert kinds.get("area", "Real") == "Real"
        assert all(kind == "String" for name, kind in columns if name not in {*whole, "area"})
        assert (crs is None) if kind == "source" else crs.IsGeographic() and crs.GetSemiMajor() == 6378137.0


def test_every_layer_has_its_files_and_its_styles_and_all_names_are_published_ones(deliver):
    package = deliver()["PACKAGE"]
    names = os.listdir(package)
    for kind in LAYERS[:3]:
        for ending in ("shp", "shx", "dbf", "prj", "cpg", "sld", "qml"):
            assert f"{layer_name(kind)}.{ending}" in names
    assert f"{layer_name('source')}.dbf" in names and f"{layer_name('source')}.shp" not in names
    others = {"README.txt", "SHA256SUMS", f"{STEM}_r1_v1.gpkg", f"{STEM}_metadata_r1_v1.json"}
    assert others <= set(names)
    assert all(PUBLISHED.fullmatch(name.split(".")[0]) for name in set(names) - others)
    source = ogr.Open(os.path.join(package, f"{STEM}_r1_v1.gpkg"))
    tables = [source.GetLayer(i).GetName() for i in range(source.GetLayerCount())]
    assert [name for name in tables if name != "layer_styles"] == [layer_name(kind) for kind in LAYERS]


@pytest.mark.parametrize("form", ["gpkg", "shp"])
def test_areas_are_hectares_on_the_ellipsoid_of_what_is_delivered(deliver, form):
    results = deliver()
    _, rows, shapes, _ = read(results["PACKAGE"], "observedEventA", form)
    pixel_ha = 0.01 / 0.9996**2  # the scale of UTM at its central meridian, where the scene lies
    for row, shape, pixels in zip(rows, shapes, (600 - 25, 16), strict=True):
        assert shape.IsValid() and shape.GetGeometryName() in ("POLYGON", "MULTIPOLYGON")
        assert row["area"] == pytest.approx(authalic_hectares(shape), rel=1e-3)
        assert row["area"] == pytest.approx(pixels * pixel_ha, rel=1e-3)
    assert results["AREA_HA"] == pytest.approx(sum(row["area"] for row in rows)) and results["COUNT"] == 2


def test_attributes_follow_the_hazard_and_each_polygon(deliver):
    _, rows, _, _ = read(deliver()["PACKAGE"], "observedEventA")
    assert [row["det_method"] for row in rows] == ["Semi-automatic extraction", "Photo-interpretation"]
    for row in rows:
        assert (row["event_type"], row["obj_desc"], row["notation"]) == ("5-Flood", "Riverine flood", "Flooded area")
        assert row["dmg_src_id"] == 1


def test_the_source_is_told_in_the_published_form_and_polygons_refer_to_it(deliver):
    package = deliver(SOURCE_TIME="9:02", GSD_M=10)["PACKAGE"]
    for form in ("gpkg", "dbf"):
        _, rows, _, _ = read(package, "source", form)
        assert rows == [
            {
                "source_nam": "Sentinel-2",
                "src_date": "16/09/2024",
                "source_tm": "T09:02:00Z",
                "sensor_gsd": "10 m",
                "eventphase": "Post-event",
                "src_id": 1,
            }
        ]


def test_what_was_typed_wins_over_what_was_found_out(deliver):
    package = deliver(
        EVENT_TYPE="6-Mass Movement",
        OBJ_DESC="Mudflow",
        NOTATION="x",
        DET_METHOD="Modelling",
        SOURCE_NAME="Drone Imagery",
        SOURCE_DATE="2025-01-02",
        GSD_M=0.5,
        LOCALITY="Faenza",
        GLIDE="FL-2024-000168-ITA",
        PHASE="Pre-event",
    )["PACKAGE"]
    _, rows, _, _ = read(package, "observedEventA")
    assert {tuple(row[name] for name in COLUMNS["observedEventA"][:4]) for row in rows} == {
        ("6-Mass Movement", "Mudflow", "Modelling", "x")
    }
    _, (source,), _, _ = read(package, "source")
    assert (source["source_nam"], source["src_date"], source["sensor_gsd"]) == ("Drone Imagery", "02/01/2025", "0.5 m")
    assert source["eventphase"] == "Pre-event"
    _, (interest,), _, _ = read(package, "areaOfInterestA")
    assert interest == {
        "emsr_id": "EMSR000",
        "glide_no": "FL-2024-000168-ITA",
        "area_id": "01",
        "locality": "Faenza",
        "map_type": "Delineation",
    }


def test_clouds_are_delivered_as_not_analysed_and_never_as_no_hazard(deliver):
    results = deliver()
    _, rows, shapes, _ = read(results["PACKAGE"], "imageFootprintA")
    pixel_ha = 0.01 / 0.9996**2
    found = {row["obj_type"]: authalic_hectares(shape) for row, shape in zip(rows, shapes, strict=True)}
    assert found["Image Footprint"] == pytest.approx(WIDTH * HEIGHT * pixel_ha, rel=1e-3)
    assert found["Not Analysed"] == pytest.approx(200 * pixel_ha, rel=1e-3)
    assert set(found) == {"Image Footprint", "Not Analysed"} and all(row["or_src_id"] == 1 for row in rows)
    assert results["SHARE_ANALYSED"] == pytest.approx(1 - 200 / 8000, abs=1e-5)
    readme = open(os.path.join(results["PACKAGE"], "README.txt"), encoding="utf-8").read()
    assert "2.50 % of the area of interest" in readme and "Elsewhere nothing is known" in readme
    facts = json.load(open(os.path.join(results["PACKAGE"], f"{STEM}_metadata_r1_v1.json"), encoding="utf-8"))
    assert facts["share_analysed"] == pytest.approx(0.975, abs=1e-5)
    assert facts["provenance"]["model_sha256"] == "ab" * 32 and facts["provenance"]["scene_name"] == "S2_scene.tif"
    assert "Contains modified Copernicus Sentinel data 2024" in readme


def test_an_area_of_interest_cuts_polygons_and_shows_what_the_image_lacks(deliver, project):
    interest = polygon_layer([(f"POLYGON({box(-20, 5, 40, 10)})", "model")], fields="")
    project.addMapLayer(interest)
    results = deliver(AOI=interest)
    _, rows, shapes, _ = read(results["PACKAGE"], "observedEventA")
    pixel_ha = 0.01 / 0.9996**2
    assert len(rows) == 1 and rows[0]["area"] == pytest.approx(10 * 5 * pixel_ha, rel=2e-3)
    _, rows, shapes, _ = read(results["PACKAGE"], "imageFootprintA")
    found = {row["obj_type"]: authalic_hectares(shape) for row, shape in zip(rows, shapes, strict=True)}
    assert found["Not Analysed - No data"] == pytest.approx(200 * pixel_ha, rel=2e-3)
    assert results["SHARE_ANALYSED"] == pytest.approx(0.5, abs=1e-3) and set(found) == {
        "Image Footprint",
        "Not Analysed - No data",
    }


def test_the_scene_gives_the_footprint(deliver, tmp_path):
    scene = write_mask(tmp_path / "scene.tif", {}, geotransform=(LEFT - 500, PIXEL, 0, TOP, 0, -PIXEL))
    _, rows, shapes, _ = read(deliver(SCENE=scene)["PACKAGE"], "imageFootprintA")
    west = min(x for x, *_ in shapes[0].GetGeometryRef(0).GetGeometryRef(0).GetPoints())
    expected = QgsGeometry.fromWkt(f"POINT({LEFT - 500} {TOP})")
    assert west < 15 - 0.006 and not expected.isNull()
    assert "Not Analysed - No data" in [row["obj_type"] for row in rows]


def test_what_was_drawn_by_hand_under_a_cloud_is_not_called_not_analysed(deliver, project):
    layer = polygon_layer([(f"POLYGON({box(85, 72, 5, 4)})", "manual")])
    project.addMapLayer(layer)
    results = deliver(POLYGONS=layer)
    _, rows, shapes, _ = read(results["PACKAGE"], "imageFootprintA")
    lacking = sum(authalic_hectares(s) for r, s in zip(rows, shapes, strict=True) if r["obj_type"] == "Not Analysed")
    assert lacking == pytest.approx((200 - 20) * 0.01 / 0.9996**2, rel=1e-3) and results["COUNT"] == 1


def test_without_a_mask_the_package_says_that_coverage_is_not_known(deliver, project):
    interest = polygon_layer([(f"POLYGON({box(0, 0, 100, 80)})", "model")], fields="")
    project.addMapLayer(interest)
    results = deliver(MASK=None, AOI=interest, FOOTPRINT=interest, SOURCE_NAME="Sentinel-1")
    assert results["SHARE_ANALYSED"] is None
    readme = open(os.path.join(results["PACKAGE"], "README.txt"), encoding="utf-8").read()
    assert "not known (no mask was given)" in readme and "0.00 %" not in readme
    facts = json.load(open(os.path.join(results["PACKAGE"], f"{STEM}_metadata_r1_v1.json"), encoding="utf-8"))
    assert facts["share_analysed"] is None and facts["not_analysed_ha"] is None


def test_polygons_taken_out_by_hand_are_not_delivered(deliver, project):
    layer = polygon_layer([(WITH_HOLE, "removed"), (f"POLYGON({box(60, 40, 4, 4)})", "model")])
    project.addMapLayer(layer)
    assert deliver(POLYGONS=layer)["COUNT"] == 1


def test_no_polygon_is_a_package_too(deliver, project):
    layer = polygon_layer([])
    project.addMapLayer(layer)
    results = deliver(POLYGONS=layer)
    columns, rows, _, _ = read(results["PACKAGE"], "observedEventA")
    assert results["COUNT"] == 0 and rows == [] and [name for name, _ in columns] == COLUMNS["observedEventA"]


def test_crossing_edges_are_repaired(deliver, project):
    crossing = (
        f"POLYGON(({LEFT} {TOP}, {LEFT + 100} {TOP - 100}, {LEFT + 100} {TOP}, {LEFT} {TOP - 100}, {LEFT} {TOP}))"
    )
    layer = polygon_layer([(crossing, "manual")])
    project.addMapLayer(layer)
    _, rows, (shape,), _ = read(deliver(POLYGONS=layer)["PACKAGE"], "observedEventA")
    assert shape.IsValid() and rows[0]["area"] == pytest.approx(0.5 / 0.9996**2, rel=1e-3)


@pytest.mark.parametrize(
    ("hazard", "event"),
    [("landslide", ("6-Mass Movement", "Landslide")), ("volcano", ("998-Other", "998-Other subtype"))],
)
def test_event_types_of_other_hazards(deliver, project, tmp_path, hazard, event):
    layer = polygon_layer([(WITH_HOLE, "model")])
    layer.dataProvider().changeAttributeValues({1: {0: hazard}})
    project.addMapLayer(layer)
    mask = write_mask(tmp_path / "other.tif", {**TAGS, "HAZARD": hazard})
    _, (row,), _, _ = read(deliver(POLYGONS=layer, MASK=mask)["PACKAGE"], "observedEventA")
    assert (row["event_type"], row["obj_desc"]) == event and row["notation"] == "Not Applicable"


def test_monitoring_release_and_version_are_in_every_name(deliver):
    results = deliver(
        ACTIVATION="emsr1234", AOI_NUMBER=7, PRODUCT="GRA", MONITORING=2, REVISION=3, VERSION=4, FORMATS=["GeoPackage"]
    )
    assert os.path.basename(results["PACKAGE"]) == "EMSR1234_AOI07_GRA_MONIT02_r3_v4"
    source = ogr.Open(results["GEOPACKAGE"])
    assert source.GetLayer(0).GetName() == "EMSR1234_AOI07_GRA_MONIT02_observedEventA_r3_v4"
    assert not [name for name in os.listdir(results["PACKAGE"]) if name.endswith((".shp", ".dbf"))]


def test_shapefiles_alone_have_styles_as_well(deliver):
    results = deliver(FORMATS=["Shapefile"])
    names = os.listdir(results["PACKAGE"])
    assert not results.get("GEOPACKAGE") and not [name for name in names if name.endswith(".gpkg")]
    assert f"{layer_name('observedEventA')}.sld" in names


def test_hashes_are_those_of_the_files(deliver):
    package = deliver()["PACKAGE"]
    lines = open(os.path.join(package, "SHA256SUMS"), encoding="utf-8").read().splitlines()
    told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(told) == set(os.listdir(package)) - {"SHA256SUMS"}
    for name, digest in told.items():
        with open(os.path.join(package, name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest, name


def test_styles_are_well_formed_and_open_in_qgis(deliver):
    package = deliver()["PACKAGE"]
    for kind in LAYERS[:3]:
        stem = os.path.join(package, layer_name(kind))
        tree = ElementTree.parse(f"{stem}.sld").getroot()
        assert tree.tag.endswith("StyledLayerDescriptor") and "PolygonSymbolizer" in ElementTree.tostring(tree).decode()
        assert str(ROOT) not in open(f"{stem}.qml", encoding="utf-8").read()
        assert package not in open(f"{stem}.qml", encoding="utf-8").read()
        for uri in (f"{stem}.shp", f"{package}/{STEM}_r1_v1.gpkg|layername={layer_name(kind)}"):
            layer = QgsVectorLayer(uri, kind, "ogr")
            assert layer.isValid()
            expected = "singleSymbol" if kind == "areaOfInterestA" else "categorizedSymbol"
            assert layer.renderer().type() == expected, uri
    layer = QgsVectorLayer(os.path.join(package, f"{layer_name('imageFootprintA')}.shp"), "a", "ogr")
    values = [category.value() for category in layer.renderer().categories()]
    assert values == ["Image Footprint", "Not Analysed", "Not Analysed - No data"]


def test_no_path_of_the_analyst_is_delivered(deliver, tmp_path):
    package = deliver()["PACKAGE"]
    for name in os.listdir(package):
        with open(os.path.join(package, name), "rb") as file:
            assert str(tmp_path).encode() not in file.read(), name


@pytest.mark.parametrize("code", ["", "EMSR", "EMSR12", "EMSR12345", "EMSN123", "EMSR12a", "../EMSR123", "EMSR٣٣٣"])
def test_a_bad_activation_code_is_refused(deliver, code, tmp_path):
    assert "expected EMSR and three or four digits" in refusal(deliver, ACTIVATION=code) or code == ""
    assert not os.path.exists(tmp_path / "out")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"SOURCE_DATE": "16.9.2024"}, "is no day"),
        ({"SOURCE_TIME": "25:00"}, "is no time of day"),
        ({"EVENT_TYPE": "flood"}, "is no event type"),
        ({"DET_METHOD": "magic"}, "not of the published list"),
        ({"MASK": None}, "No area of interest is known"),
        ({"FORMATS": []}, "format"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(deliver, parameters, said, tmp_path, mask):
    values = dict(parameters)
    if values.pop("MASK", mask) is None:
        values["MASK"] = None
    assert said.lower() in refusal(deliver, **values).lower()
    assert not os.path.exists(tmp_path / "out")


def test_a_mask_without_crs_is_refused_and_leaves_nothing(deliver, tmp_path):
    bare = write_mask(tmp_path / "bare.tif", epsg=None)
    assert "CRS" in refusal(deliver, MASK=bare)
    assert not os.path.exists(tmp_path / "out") or os.listdir(tmp_path / "out") == []


def test_polygons_without_crs_are_refused(deliver, project, tmp_path):
    layer = polygon_layer([(WITH_HOLE, "model")], crs="")
    layer.setCrs(type(layer.crs())())
    project.addMapLayer(layer)
    assert "has no CRS" in refusal(deliver, POLYGONS=layer)
    assert not os.path.exists(tmp_path / "out") or os.listdir(tmp_path / "out") == []


def test_an_existing_package_is_replaced_only_when_allowed(deliver, tmp_path):
    package = deliver()["PACKAGE"]
    before = sorted(os.listdir(package))
    assert "exists; raise the version" in refusal(deliver)
    assert sorted(os.listdir(package)) == before
    assert deliver(OVERWRITE=True, FORMATS=["Shapefile"])["PACKAGE"] == package
    assert f"{STEM}_r1_v1.gpkg" not in os.listdir(package)
    assert hidden_files(tmp_path / "out") == [] and os.listdir(tmp_path / "out") == [os.path.basename(package)]


def test_a_folder_with_files_of_others_is_never_replaced(deliver):
    package = deliver()["PACKAGE"]
    with open(os.path.join(package, "notes.docx"), "w", encoding="utf-8") as file:
        file.write("mine")
    assert "not of a package" in refusal(deliver, OVERWRITE=True)
    assert os.path.exists(os.path.join(package, "notes.docx"))


@pytest.mark.parametrize("after", ["observedEventA", "imageFootprintA"])
def test_cancel_while_writing_leaves_nothing(registered, polygons, mask, tmp_path, after, monkeypatch):
    from hazard_mapper.hazard_plugin import package_writer

    feedback = QgsProcessingFeedback()
    write = package_writer.PackageWriter.write

    def write_and_cancel(self, layout, rows):
        count = write(self, layout, rows)
        if layout.name == after:
            feedback.cancel()
        return count

    monkeypatch.setattr(package_writer.PackageWriter, "write", write_and_cancel)
    parameters = {"POLYGONS": polygons, "MASK": mask, "FOLDER": str(tmp_path / "out")}
    assert processing.run(ALGORITHM, parameters, feedback=feedback).get("PACKAGE") is None
    assert os.listdir(tmp_path / "out") == []


def test_a_failure_keeps_the_old_package(deliver, monkeypatch, tmp_path):
    from hazard_mapper.hazard_plugin import package_writer

    package = deliver()["PACKAGE"]
    before = {name: os.path.getmtime(os.path.join(package, name)) for name in os.listdir(package)}

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(package_writer, "sha256_of", full)
    assert "No space left on device" in refusal(deliver, OVERWRITE=True)
    assert {name: os.path.getmtime(os.path.join(package, name)) for name in os.listdir(package)} == before
    assert hidden_files(tmp_path / "out") == []


def test_it_runs_in_a_background_thread(registered, polygons, mask, tmp_path):
    algorithm = QgsApplication.processingRegistry().algorithmById(ALGORITHM).create()
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    parameters = {"POLYGONS": polygons.id(), "MASK": mask, "FOLDER": str(tmp_path / "out")}
    from qgis.core import QgsProject

    context.setProject(QgsProject.instance())
    ended = []
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    task.executed.connect(lambda succeeded, results: ended.append((succeeded, results)))
    QgsApplication.taskManager().addTask(task)
    assert wait_until(lambda: ended, 60)
    assert ended[0][0] and os.path.isdir(ended[0][1]["PACKAGE"]), feedback.textLog()


def test_degrees_work_like_metres(deliver, project, tmp_path):
    mask = write_mask(tmp_path / "degrees.tif", epsg=4326, geotransform=(15.0, 0.0001, 0, 44.25, 0, -0.0001))
    wkt = "POLYGON((15.001 44.249, 15.004 44.249, 15.004 44.247, 15.001 44.247, 15.001 44.249))"
    layer = polygon_layer([(wkt, "model")], crs="EPSG:4326")
    project.addMapLayer(layer)
    package = deliver(POLYGONS=layer, MASK=mask)["PACKAGE"]
    _, (row,), (shape,), _ = read(package, "observedEventA")
    assert row["area"] == pytest.approx(authalic_hectares(shape), rel=1e-3)
    assert row["area"] == pytest.approx(0.003 * 79_874 * 0.002 * 111_117 / 1e4, rel=2e-3)
    _, (source,), _, _ = read(package, "source")
    assert source["sensor_gsd"] == "7.99 m"


def test_a_rotated_mask_is_outlined_by_its_corners(deliver, tmp_path):
    mask = write_mask(tmp_path / "rotated.tif", geotransform=(LEFT, 8.0, 6.0, TOP, 6.0, -8.0))
    results = deliver(MASK=mask)
    assert results["INTEREST_HA"] == pytest.approx(WIDTH * HEIGHT * 0.01 / 0.9996**2, rel=2e-3)


def test_texts_too_long_for_the_schema_are_cut_in_every_format(deliver, tmp_path):
    scene = "Überflutung_" * 20 + ".tif"
    mask = write_mask(tmp_path / "long.tif", {**TAGS, "HAZARD_SCENE": scene})
    package = deliver(MASK=mask, SOURCE_NAME=scene, LOCALITY="Großräschen " * 15)["PACKAGE"]
    for form in ("gpkg", "shp"):
        (row,) = read(package, "source", form)[1]
        assert scene.startswith(row["source_nam"]) and 90 < len(row["source_nam"].encode()) <= 100
        assert read(package, "areaOfInterestA", form)[1][0]["locality"].startswith("Großräschen Großräschen")


def test_ground_that_polygons_drawn_by_hand_share_counts_once(deliver, project):
    shapes = [(f"POLYGON({box(column, 40, 10, 10)})", "manual") for column in (40, 45)]
    layer = polygon_layer(shapes)
    project.addMapLayer(layer)
    results = deliver(POLYGONS=layer)
    rows, geometries = read(results["PACKAGE"], "observedEventA")[1:3]
    assert sum(row["area"] for row in rows) == pytest.approx(2.0, rel=1e-2) and len(rows) == 2
    union = geometries[0].Union(geometries[1])
    assert results["AREA_HA"] == pytest.approx(authalic_hectares(union), rel=1e-4)
