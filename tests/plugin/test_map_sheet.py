"""The map sheet: what is on it, where it lies on Earth, and what becomes of its files and of the project."""

import json
import os
import sys

import numpy as np
import pytest
import support
from osgeo import gdal, osr
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QImage

ALGORITHM = "hazardmapper:mapsheet"
TAGS = {
    "HAZARD": "flood",
    "HAZARD_MODEL": "unet",
    "HAZARD_MODEL_SHA256": "ab" * 32,
    "HAZARD_THRESHOLD": "0.47",
    "HAZARD_SCENE": "S2_Faenza.tif",
    "HAZARD_SCENE_DATE": "2024-09-16",
    "HAZARD_SENSOR": "sentinel-2-l2a",
    "HAZARD_JOB": json.dumps({"raster": "S2_Faenza.tif", "hazard": "flood"}),
}
GREY, BLUE = (185, 185, 185), (31, 120, 220)


@pytest.fixture(scope="module")
def client():
    """A client of the engine itself."""
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    made = EngineClient(lambda: EngineLocation(sys.executable, str(support.ROOT)))
    yield made
    made.shutdown()


def write(path, values, origin=(500_000.0, 4_900_000.0), step=10.0, epsg=32633, tags=TAGS):
    raster = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, gdal.GDT_Byte)
    raster.SetGeoTransform((origin[0], step, 0, origin[1], 0, -step))
    if epsg:
        system = osr.SpatialReference()
        system.ImportFromEPSG(epsg)
        raster.SetProjection(system.ExportToWkt())
    raster.SetMetadata(tags)
    raster.GetRasterBand(1).SetNoDataValue(255)
    raster.GetRasterBand(1).WriteArray(values)
    raster = None
    return str(path)


def codes(height=300, width=400):
    """A flood in the middle, a quarter that is not assessed."""
    values = np.zeros((height, width), "u1")
    values[height // 3 : 2 * height // 3, width // 4 : width // 2] = 1
    values[: height // 2, width // 2 :] = 255
    return values


@pytest.fixture
def mask(tmp_path):
    return write(tmp_path / "mask.tif", codes())


@pytest.fixture
def sheet(provider, project, mask, tmp_path):
    def run(**parameters):
        return processing.run(ALGORITHM, {"MASK": mask, "DPI": 96, **parameters})

    return run


def only_layout(project):
    (layout,) = project.layoutManager().layouts()
    return layout


def of_type(layout, kind):
    return [item for item in layout.items() if isinstance(item, kind)]


def texts(layout):
    return {item.id(): item.text() for item in of_type(layout, QgsLayoutItemLabel)}


def refusal(sheet, **parameters):
    with pytest.raises(QgsProcessingException) as caught:
        sheet(**parameters)
    return [line for line in str(caught.value).splitlines() if line.strip()][-1]


def test_the_layout_is_kept_with_all_its_parts(sheet, project):
    name = sheet(TITLE="Flood in Faenza", ORGANISATION="Mapping cell", DATE="2024-09-17")["LAYOUT"]
    layout = only_layout(project)
    assert layout.name() == name
    told = texts(layout)
    assert told["title"] == "Flood in Faenza" and told["organisation"] == "Mapping cell"
    assert "S2_Faenza" in told["subtitle"] and "2024-09-16" in told["subtitle"] and "2024-09-17" in told["date"]
    assert "not checked in the field" in told["confidence"] and "verify on the ground" in told["disclaimer"]
    assert "S2_Faenza" in told["sources"] and "unet" in told["sources"]
    assert {item.id() for item in of_type(layout, QgsLayoutItemMap)} == {"map", "locator"}
    for kind in (QgsLayoutItemLegend, QgsLayoutItemScaleBar, QgsLayoutItemPicture):
        assert len(of_type(layout, kind)) == 1


def test_the_area_on_the_sheet_is_that_of_the_pixels(sheet, project):
    sheet()
    told = texts(only_layout(project))
    shown = {told[f"figure {n}"]: told[f"value {n}"] for n in range(1, 8) if f"figure {n}" in told}
    # 100 x 100 pixels of 10 m on the central meridian, where the ellipsoid has 1 / 0.9996² of the plane's area.
    assert shown["Flood area"] == "1 km²"
    assert shown["Not assessed"] == "25 %" and shown["Threshold"] == "0.47"
    assert "25 %" in told["confidence"]


def test_the_likely_range_comes_from_the_probability(sheet, project, tmp_path):
    percent = np.zeros((300, 400), "u1")
    percent[:100, :100], percent[100:200, :200] = 90, 40
    path = write(tmp_path / "probability.tif", percent)
    raster = gdal.Open(path, gdal.GA_Update)
    raster.GetRasterBand(1).SetDescription("Flood probability (%)")
    raster = None
    sheet(PROBABILITY=path)
    # A square kilometre of 90 per cent and two of 40.
    assert "1 to 3 km²" in texts(only_layout(project)).values()


def test_png_lies_where_the_mask_lies(sheet, tmp_path):
    """A corner of the flood, found by its colour, lies where the mask has it."""
    png = tmp_path / "map.png"
    scale = sheet(PNG=str(png), ADD_TO_PROJECT=False)["SCALE"]
    raster = gdal.Open(str(png))
    left, step, _, top, _, down = raster.GetGeoTransform()
    assert step == pytest.approx(0.0254 / 96 * scale, rel=0.01) and down < 0
    assert "UTM zone 33N" in raster.GetProjection()
    picture = raster.ReadAsArray()[:3].astype(int)
    # The flood's blue over paper: bluer than red by far; the header's navy is darker.
    blue = (picture[2] - picture[0] > 90) & (picture[2] > 200)
    rows, columns = np.nonzero(blue)
    inside = (columns * step + left < 504_000) & (columns * step + left > 500_000)
    rows, columns = rows[inside], columns[inside]
    assert left + columns.min() * step == pytest.approx(501_000, abs=2 * step)
    assert left + (columns.max() + 1) * step == pytest.approx(502_000, abs=2 * step)
    assert top + rows.min() * down == pytest.approx(4_899_000, abs=2 * step)
    assert (tmp_path / "map.pgw").exists()


def test_what_is_not_assessed_is_grey_and_in_the_legend(sheet, project, tmp_path):
    png = tmp_path / "map.png"
    sheet(PNG=str(png))
    raster = gdal.Open(str(png))
    left, step, _, top, _, down = raster.GetGeoTransform()
    x, y = int((503_000 - left) / step), int((4_899_600 - top) / down)
    colour = QImage(str(png)).pixelColor(x, y)
    assert max(colour.red(), colour.green(), colour.blue()) - min(colour.red(), colour.green(), colour.blue()) < 6
    assert 170 < colour.red() < 215
    (legend,) = of_type(only_layout(project), QgsLayoutItemLegend)
    shown = []
    for node in legend.model().rootGroup().findLayers():
        shown += [str(entry.data(0)) for entry in legend.model().layerLegendNodes(node)] or [node.name()]
        shown.append(node.name())
    assert "Flood" in shown and "Not assessed" in shown and "None" not in shown


def test_a_sheet_without_gaps_says_nothing_of_them(sheet, project, tmp_path):
    values = codes()
    values[values == 255] = 0
    sheet(MASK=write(tmp_path / "full.tif", values))
    (legend,) = of_type(only_layout(project), QgsLayoutItemLegend)
    assert not any("assessed" in node.name() for node in legend.model().rootGroup().findLayers())
    assert "could not be assessed" not in texts(only_layout(project))["confidence"]


@pytest.mark.parametrize(
    ("page", "shape", "size"),
    [("A4", (100, 400), (297, 210)), ("A4", (400, 100), (210, 297)), ("A3", (100, 400), (420, 297))],
)
def test_the_page_lies_or_stands_as_the_area_does(sheet, project, tmp_path, page, shape, size):
    sheet(MASK=write(tmp_path / "shaped.tif", codes(*shape)), PAGE=page)
    found = only_layout(project).pageCollection().page(0).pageSize()
    assert (round(found.width()), round(found.height())) == size


def overlaps(layout):
    """Pairs of items of which both hold something to read and that cover each other."""
    items = [
        item
        for item in layout.items()
        if isinstance(item, QgsLayoutItem) and item.id() and item.id() not in ("header", "rule")
    ]
    frames = [(item.id(), item.sceneBoundingRect().adjusted(0.2, 0.2, -0.2, -0.2)) for item in items if item.id()]
    page = layout.pageCollection().page(0).rect()
    outside = [name for name, frame in frames if not page.contains(frame) and "page" not in name.lower()]
    pairs = [
        (a, b)
        for index, (a, one) in enumerate(frames)
        for b, other in frames[index + 1 :]
        if one.intersects(other) and a != b
    ]
    return outside, pairs


LONG = "S2B_MSIL2A_20240919T100559_N0511_R022_T32TQQ_mosaic_of_six_tiles_after_the_storm_Boris_in_Emilia-Romagna.tif"


@pytest.mark.parametrize("page", ["A4", "A3"])
@pytest.mark.parametrize("shape", [(120, 400), (400, 120)])
def test_nothing_overlaps_even_with_long_names(sheet, project, tmp_path, page, shape):
    adapted = json.dumps({"verdict": "adapted", "reason": "Adapted: expected better. " * 8})
    tags = {**TAGS, "HAZARD_SCENE": LONG, "HAZARD_ADAPTATION": adapted, "HAZARD_REFINED": '{"permanent_water":"w"}'}
    sheet(
        MASK=write(tmp_path / "long.tif", codes(*shape), tags=tags),
        PAGE=page,
        TITLE="A flood delineation with an extraordinarily long title " * 4,
        ORGANISATION="Regional Support Office for Emergency Mapping and Civil Protection",
        SOURCES="\n".join(["Roads and buildings from an own survey"] * 9),
    )
    outside, pairs = overlaps(only_layout(project))
    assert outside == [] and pairs == []


@pytest.mark.parametrize("page", ["A4", "A3"])
@pytest.mark.parametrize("shape", [(120, 400), (400, 120)])
@pytest.mark.parametrize("origins", [["model", "manual", "removed"], ["model"]])
def test_the_analysts_polygons_and_a_change_leave_room_for_the_scale(sheet, project, tmp_path, page, shape, origins):
    from hazard_mapper.hazard_plugin.vector_layers import dress_polygons

    polygons = QgsVectorLayer("Polygon?crs=EPSG:32633&field=origin:string", "Flood polygons - scene", "memory")
    for number, origin in enumerate(origins):
        feature = QgsFeature(polygons.fields())
        feature.setAttributes([origin])
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(500_000, 4_899_000, 500_100 + number, 4_899_100)))
        polygons.dataProvider().addFeatures([feature])
    dress_polygons(polygons, "flood")
    change = QgsRasterLayer(write(tmp_path / "change.tif", codes(*shape)), "change")
    change.loadNamedStyle(str(support.ROOT / "resources" / "styles" / "change.qml"))
    project.addMapLayers([polygons, change])
    sheet(MASK=write(tmp_path / "tall.tif", codes(*shape)), PAGE=page, POLYGONS=polygons.id(), CHANGE=change.id())
    layout = only_layout(project)
    assert overlaps(layout) == ([], [])
    assert any(isinstance(item, QgsLayoutItemScaleBar) for item in layout.items())
    legend = next(item for item in layout.items() if isinstance(item, QgsLayoutItemLegend))
    nodes = [legend.model().layerLegendNodes(node) for node in legend.model().rootGroup().findLayers()]
    shown = [str(entry.data(0)) for entries in nodes for entry in entries]
    assert ("Removed by hand" in shown) == ("removed" in origins)
    assert ("Flood, drawn by hand" in shown) == ("manual" in origins)
    assert "Flood" in shown and "Gained" in shown


def test_a_corrected_mask_has_no_likely_range(sheet, project, tmp_path):
    percent = np.where(codes() == 1, 90, 0).astype("u1")
    probability = write(tmp_path / "probability.tif", percent)
    source = gdal.Open(probability, gdal.GA_Update)
    source.GetRasterBand(1).SetDescription("flood probability")
    source = None
    sheet(PROBABILITY=probability)
    assert "Likely range" in texts(only_layout(project)).values()
    project.layoutManager().clear()
    mask = write(tmp_path / "corrected.tif", codes(), tags={**TAGS, "HAZARD_CORRECTED": "{}"})
    sheet(MASK=mask, PROBABILITY=probability)
    told = texts(only_layout(project))
    assert "Likely range" not in told.values() and "corrected by hand" in told["confidence"]


def test_degrees_are_drawn_in_metres(sheet, project, tmp_path):
    sheet(MASK=write(tmp_path / "degrees.tif", codes(), origin=(12.0, 44.5), step=0.0005, epsg=4326))
    item = next(i for i in of_type(only_layout(project), QgsLayoutItemMap) if i.id() == "map")
    assert item.crs().authid() == "EPSG:32633"
    scale = item.scale()
    first = scale / 10 ** int(np.log10(scale))
    assert round(first, 3) in (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8)


@pytest.mark.parametrize(
    ("longitude", "latitude", "code"), [(12.1, 44.3, 32633), (-70.2, -12.9, 32719), (179.9, 1, 32660), (5, 86, 32661)]
)
def test_the_zone_is_that_of_the_place(qgis_app, longitude, latitude, code):
    from hazard_mapper.hazard_plugin.sheet.projection import utm_crs

    assert utm_crs(QgsPointXY(longitude, latitude)).authid() == f"EPSG:{code}"


def test_web_mercator_of_the_project_is_passed_over(sheet, project, tmp_path):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    sheet()
    item = next(i for i in of_type(only_layout(project), QgsLayoutItemMap) if i.id() == "map")
    assert item.crs().authid() == "EPSG:32633"


@pytest.mark.parametrize(
    "values", [np.full((1, 1), 1, "u1"), np.full((40, 40), 255, "u1"), np.zeros((1, 500), "u1")], ids=str
)
def test_odd_masks_are_drawn(sheet, values, tmp_path):
    png = tmp_path / "odd.png"
    sheet(MASK=write(tmp_path / "odd.tif", values), PNG=str(png), ADD_TO_PROJECT=False)
    assert not QImage(str(png)).isNull()


def test_a_mask_without_a_coordinate_system_says_so(sheet, project, tmp_path):
    sheet(MASK=write(tmp_path / "nowhere.tif", codes(), epsg=None))
    layout = only_layout(project)
    assert "No coordinate system" in texts(layout)["scale note"]
    assert of_type(layout, QgsLayoutItemScaleBar) == []


def test_a_raster_of_someone_else_is_drawn_without_made_up_figures(sheet, project, tmp_path):
    sheet(MASK=write(tmp_path / "foreign.tif", codes(), tags={}))
    assert texts(only_layout(project))["value 1"] == "not known"


def test_pdf_is_written_whole(sheet, tmp_path):
    pdf = tmp_path / "map.pdf"
    sheet(PDF=str(pdf), ADD_TO_PROJECT=False)
    told = pdf.read_bytes()
    assert told.startswith(b"%PDF") and b"%%EOF" in told[-64:]
    assert support.hidden_files(tmp_path) == []


def test_a_kept_sheet_comes_back_with_its_project(sheet, project, tmp_path):
    sheet()
    path = str(tmp_path / "project.qgz")
    assert project.write(path)
    again = QgsProject()
    assert again.read(path)
    item = next(i for i in of_type(only_layout(again), QgsLayoutItemMap) if i.id() == "map")
    assert all(layer is not None and layer.isValid() for layer in item.layers()) and len(item.layers()) == 3
    picture = next(iter(of_type(only_layout(again), QgsLayoutItemPicture)))
    assert picture.picturePath().startswith("base64:")
    again.clear()


def test_a_second_sheet_has_a_name_of_its_own(sheet, project):
    assert sheet()["LAYOUT"] != sheet()["LAYOUT"]
    assert len(project.layoutManager().layouts()) == 2


def test_the_analysts_own_layer_is_used_and_not_restyled(sheet, project, mask):
    layer = QgsRasterLayer(mask, "My mask")
    layer.setCustomProperty("hazardmapper/kind", "mask")
    project.addMapLayer(layer)
    before = layer.renderer().type()
    sheet(MASK=layer.id())
    item = next(i for i in of_type(only_layout(project), QgsLayoutItemMap) if i.id() == "map")
    assert layer in item.layers() and layer.renderer().type() == before and layer.name() == "My mask"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"ADD_TO_PROJECT": False}, "Nothing is asked for"),
        ({"PDF": "/tmp/map.doc"}, "name ending in .pdf"),
        ({"EXTENT": "0,10,0,10 [EPSG:32633]"}, "does not touch"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(sheet, parameters, words):
    assert words in refusal(sheet, **parameters)


def test_a_missing_folder_is_one_sentence(sheet, project, tmp_path):
    assert "does not exist" in refusal(sheet, PDF=str(tmp_path / "gone" / "map.pdf"))
    assert project.layoutManager().layouts() == []


def test_a_cancelled_sheet_leaves_nothing(provider, project, mask, tmp_path):
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    processing.run(ALGORITHM, {"MASK": mask, "PNG": str(tmp_path / "map.png")}, feedback=feedback)
    assert not [name for name in os.listdir(tmp_path) if "map" in name] and project.layoutManager().layouts() == []


def test_a_failed_export_leaves_nothing(sheet, project, tmp_path, monkeypatch):
    """The second file fails: the first, though complete, is not published."""
    from hazard_mapper.hazard_plugin.algorithms import map_sheet

    def fail(layout, path, dpi):
        open(path, "wb").close()
        raise OSError("disk full")

    monkeypatch.setattr(map_sheet, "write_png", fail)
    assert "disk full" in refusal(sheet, PDF=str(tmp_path / "map.pdf"), PNG=str(tmp_path / "map.png"))
    assert not [name for name in os.listdir(tmp_path) if "map" in name] and project.layoutManager().layouts() == []


def test_a_part_of_the_mask_is_said_to_be_one(sheet, project):
    sheet(EXTENT="500500,502500,4898000,4899500 [EPSG:32633]")
    assert "of which the map shows a part" in texts(only_layout(project))["confidence"]


def test_the_whole_mask_is_not_said_to_be_a_part(sheet, project):
    sheet()
    assert "shows a part" not in texts(only_layout(project))["confidence"]


def test_without_a_project_nothing_is_kept(provider, project, mask, tmp_path):
    """As in qgis_process: layers left open when it ends would crash it."""
    context = QgsProcessingContext()
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
    values = {"MASK": mask, "DPI": 96, "PDF": str(tmp_path / "map.pdf")}
    results, is_done = algorithm.run(values, context, QgsProcessingFeedback(False))
    assert is_done and results["LAYOUT"] == "" and (tmp_path / "map.pdf").exists()
    assert project.layoutManager().layouts() == [] and project.mapLayers() == {}
