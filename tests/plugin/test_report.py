"""The report: one file that loads nothing, whose numbers are those of the pixels, and whose text is only text."""

import base64
import json
import os
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import support
from osgeo import gdal, osr
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QImage
from support import hidden_files, wait_until

ALGORITHM = "hazardmapper:hazardreport"
ATTACK = "<script>alert(1)</script>\"'&.tif"
JOB = {"raster": ATTACK, "hazard": "flood", "units": "reflectance*10000", "threshold": None, "bands": ["blue", "green"]}
TAGS = {
    "HAZARD": "flood",
    "HAZARD_MODEL": "unet",
    "HAZARD_MODEL_SHA256": "ab" * 32,
    "HAZARD_THRESHOLD": "0.47",
    "HAZARD_SCENE": ATTACK,
    "HAZARD_SCENE_SHA256": "cd" * 32,
    "HAZARD_SCENE_DATE": "2024-09-16",
    "HAZARD_JOB": json.dumps(JOB),
}
EMPTY_TAGS = ("meta", "img", "br", "hr", "link", "input")
LOADING = ("src", "href", "srcset", "data", "action", "poster", "background")


@pytest.fixture(scope="module")
def client():
    """A client of the engine itself."""
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    made = EngineClient(lambda: EngineLocation(sys.executable, str(support.ROOT)))
    yield made
    made.shutdown()


def write(path, values, tags=TAGS, description="", epsg=32633):
    raster = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, gdal.GDT_Byte)
    raster.SetGeoTransform((500_000.0, 10.0, 0, 4_900_000.0, 0, -10.0))
    if epsg:
        system = osr.SpatialReference()
        system.ImportFromEPSG(epsg)
        raster.SetProjection(system.ExportToWkt())
    raster.SetMetadata(tags)
    raster.GetRasterBand(1).SetNoDataValue(255)
    raster.GetRasterBand(1).SetDescription(description)
    raster.GetRasterBand(1).WriteArray(values)
    raster = None
    return str(path)


def codes():
    """Two square kilometres of flood in twelve, a quarter of which is not assessed."""
    values = np.zeros((300, 400), "u1")
    values[100:200, :200] = 1
    values[:150, 200:] = 255
    return values


@pytest.fixture
def mask(tmp_path):
    return write(tmp_path / "mask.tif", codes())


@pytest.fixture
def report(provider, project, mask, tmp_path):
    def run(**parameters):
        output = processing.run(ALGORITHM, {"MASK": mask, "OUTPUT": str(tmp_path / "r.html"), **parameters})["OUTPUT"]
        with open(output, encoding="utf-8") as file:
            return Page(file.read())

    return run


class Page(HTMLParser):
    """A page as a strict reader sees it."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.source, self.open, self.wrong, self.attributes, self.tags = source, [], [], [], []
        self.rows, self.headings, self.words = [], [], []
        self.feed(source)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
        if tag not in EMPTY_TAGS:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        inner = self.open[-1] if self.open else ""
        if inner in ("td", "th"):
            self.rows[-1][-1] += data
        if inner == "h2":
            self.headings.append(data)
        if inner != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)

    def value(self, name):
        return next(row[1] for row in self.rows if row and row[0] == name)


def test_the_page_is_well_formed_and_loads_nothing(report):
    page = report()
    assert page.wrong == []
    loads = [(tag, name, value) for tag, name, value in page.attributes if name in LOADING]
    assert [(tag, name) for tag, name, _value in loads] == [("img", "src")]
    assert loads[0][2].startswith("data:image/png;base64,")
    for word in ("@import", "url(", "http://", "https://"):
        assert word not in page.source.split("base64,")[0]
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not [name for _tag, name, _value in page.attributes if name.startswith("on")]


def test_names_of_scenes_are_only_text(report):
    page = report(TITLE=ATTACK)
    assert "<script" not in page.source and page.wrong == []
    assert "<script>alert(1)</script>" in page.text


def test_figures_are_those_of_the_pixels(report):
    page = report()
    assert page.value("Flood area") == "2 km²" and page.value("Not assessed") == "25 %"
    assert page.value("Threshold") == "0.47" and page.value("Image date") == "2024-09-16"
    assert "Not assessed: 25 % of the area" in page.text and "it is not free of hazard" in page.text


def test_the_area_at_each_probability_is_counted(report, tmp_path):
    percent = np.full((300, 400), 5, "u1")
    percent[:100, :100], percent[100:200, :200], percent[200:, :] = 90, 40, 255
    page = report(PROBABILITY=write(tmp_path / "p.tif", percent, description="Flood probability (%)"))
    told = {row[0]: row[1] for row in page.rows if row[0].endswith(" %")}
    assert (told["90 %"], told["50 %"], told["40 %"], told["10 %"]) == ("1 km²", "1 km²", "3 km²", "3 km²")
    assert page.value("Likely range") == "1 to 3 km²"


def test_hashes_and_settings_are_told_in_full(report):
    page = report()
    assert page.value("SHA-256 of the scene") == "cd" * 32 and page.value("SHA-256 of the model") == "ab" * 32
    assert page.value("units") == "reflectance*10000" and page.value("bands") == "blue; green"
    assert page.value("raster") == ATTACK and page.value("threshold") == "default"


def test_steps_after_the_run_are_told_in_order(report, tmp_path):
    steps = [
        {"kind": "refine", "job": {"mask": "m.tif", "permanent_water": "jrc <b>.tif", "least_occurrence": 50.0}},
        {"kind": "correct", "job": {"mask": "r.tif", "polygons": "drawn.gpkg", "overwrite": False}},
    ]
    page = report(MASK=write(tmp_path / "steps.tif", codes(), tags={**TAGS, "HAZARD_STEPS": json.dumps(steps)}))
    assert page.value("permanent water") == "jrc <b>.tif" and page.value("polygons") == "drawn.gpkg"
    assert page.text.index("Permanent water, slopes") < page.text.index("Corrected by hand")
    assert page.wrong == []


def test_the_card_is_that_of_the_model(report):
    with open(support.ROOT / "resources" / "models" / "unet" / "card.json", encoding="utf-8") as file:
        card = json.load(file)
    page = report()
    assert card["limits"] in page.text and card["description"] in page.text
    wanted = [row for row in card["scores"] if row["hazard"] == "flood"]
    shown = [row for row in page.rows if len(row) > 2 and row[1] == "flood"]
    assert len(shown) == len(wanted)
    assert f"{wanted[0]['balanced_accuracy']:.3g}" in shown[0]


def test_an_unknown_model_is_no_failure(report, tmp_path):
    page = report(MASK=write(tmp_path / "other.tif", codes(), {**TAGS, "HAZARD_MODEL": "lost"}))
    assert "lost" in page.text and "not found on this computer" in page.text


def test_a_raster_of_someone_else_has_no_made_up_figures(report, tmp_path):
    page = report(MASK=write(tmp_path / "foreign.tif", codes(), {}))
    assert page.value("Hazard area") == "not known" and "is not known" in page.text and page.wrong == []


def test_the_adaptation_is_told(report, tmp_path):
    stage = {"stage": "statistics", "alpha": 0.25, "steps": 0, "proxy": 0.35, "accepted": True, "reason": "<b>better"}
    told = {"verdict": "rolled_back", "reason": "Nothing tried was <i>safely</i> better.", "stages": [stage]}
    page = report(MASK=write(tmp_path / "adapted.tif", codes(), {**TAGS, "HAZARD_ADAPTATION": json.dumps(told)}))
    assert "Rolled back" in page.text and "<i>safely</i>" in page.text and "<b>better" in page.text
    assert page.wrong == []


def test_scores_of_the_error_layer_are_told(report, tmp_path):
    scores = {"tp": 30, "fp": 10, "fn": 20, "tn": 40, "not_assessed": 7, "precision": 0.75, "recall": 0.6, "iou": 0.5}
    tags = {"HAZARD": "flood", "HAZARD_EVALUATION": json.dumps(scores)}
    page = report(ERRORS=write(tmp_path / "errors.tif", codes(), tags))
    assert page.value("Precision") == "0.750" and page.value("Recall") == "0.600"
    assert ["Mask: hazard", "30", "10"] in page.rows and ["Mask: none", "20", "40"] in page.rows
    assert "7 pixels that the mask does not assess are left out" in page.text


def exposure_table(rows):
    texts, numbers = ("item", "class", "unit"), ("low", "central", "high")
    fields = "&".join([*(f"field={name}:string" for name in texts), *(f"field={name}:double" for name in numbers)])
    table = QgsVectorLayer(f"none?{fields}", "exposure", "memory")
    for row in rows:
        feature = QgsFeature(table.fields())
        feature.setAttributes(row)
        table.dataProvider().addFeature(feature)
    return table


def test_exposure_has_three_estimates(report, project):
    table = exposure_table([["Roads <b>", "primary", "km", 1.5, 2.25, None]])
    project.addMapLayer(table)
    page = report(EXPOSURE=table.id())
    assert ["Roads <b>", "primary", "km", "1.5", "2.25", "–"] in page.rows


def test_large_numbers_are_written_out(report, project):
    table = exposure_table([["Buildings", "", "m²", 1363344.4, 47.6735, 12345678.0]])
    project.addMapLayer(table)
    page = report(EXPOSURE=table.id())
    assert ["Buildings", "", "m²", "1\u202f363\u202f344", "47.67", "12\u202f345\u202f678"] in page.rows


def test_a_change_is_told_in_areas(report, tmp_path):
    values = np.zeros((300, 400), "u1")
    values[:100, :100], values[100:200, :200], values[200:, :300], values[:100, 300:] = 1, 2, 3, 255
    tags = {"HAZARD_CHANGE_JOB": "{}", "HAZARD_BEFORE": "early.tif", "HAZARD_BEFORE_SCENE_DATE": "2024-09-01"}
    page = report(CHANGE=write(tmp_path / "change.tif", values, tags={"HAZARD": "flood", **tags}))
    assert (page.value("Gained"), page.value("Lost"), page.value("Unchanged")) == ("1 km²", "2 km²", "3 km²")
    assert "early.tif" in page.value("Earlier mask") and "2024-09-01" in page.value("Earlier mask")
    assert page.value("Not assessed at both dates") == "8 %"


def test_a_table_without_the_fields_is_refused(report, project):
    table = QgsVectorLayer("none?field=name:string", "people", "memory")
    project.addMapLayer(table)
    with pytest.raises(QgsProcessingException, match="has no field item"):
        report(EXPOSURE=table.id())


def test_polygons_are_counted_and_the_largest_listed(report, project):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32633&field=area_m2:double&field=origin:string", "flood", "memory")
    for area, origin in ((5e4, "manual"), (9e6, "removed"), (2.5e6, "model")):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(500_000, 4_898_000, 501_000, 4_899_000)))
        feature.setAttributes([area, origin])
        layer.dataProvider().addFeature(feature)
    project.addMapLayer(layer)
    page = report(POLYGONS=layer.id())
    assert page.value("Polygons") == "2 (2.55 km²)"
    shown = [row[1:] for row in page.rows if row[-1] in ("model", "manual")]
    assert shown == [["2.5 km²", "–", "model"], ["5 ha", "–", "manual"]]


def picture_of(page):
    (source,) = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    return QImage.fromData(base64.b64decode(source.split(",")[1]))


def test_the_map_shows_hazard_and_what_is_not_assessed(report):
    page = report()
    picture = picture_of(page)
    # 4 x 3 km with 4 per cent of the longer side around: 160 m of 4320.
    step = picture.width() / 4320
    flood = picture.pixelColor(int((160 + 1000) * step), int((160 + 1500) * step))
    gap = picture.pixelColor(int((160 + 3000) * step), int((160 + 500) * step))
    assert flood.blue() > flood.red() + 90
    assert abs(gap.red() - gap.blue()) < 6 and 170 < gap.red() < 215
    assert "Flood" in page.text and "Not assessed" in page.text


def test_it_runs_on_a_background_thread(provider, project, mask, tmp_path):
    layer = QgsRasterLayer(mask, "mask")
    project.addMapLayer(layer)
    feedback, context = QgsProcessingFeedback(False), QgsProcessingContext()
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
    values = {"MASK": layer.id(), "SCENE": layer.id(), "OUTPUT": str(tmp_path / "r.html")}
    task = QgsProcessingAlgRunnerTask(algorithm, values, context, feedback)
    outcome = []
    task.executed.connect(lambda ok, results: outcome.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    assert wait_until(lambda: outcome, 60)
    assert outcome[0][0] and os.path.getsize(tmp_path / "r.html") > 10_000
    assert layer.isValid()


def test_a_cancelled_report_leaves_no_file(provider, project, mask, tmp_path):
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    processing.run(ALGORITHM, {"MASK": mask, "OUTPUT": str(tmp_path / "r.html")}, feedback=feedback)
    assert not os.path.exists(tmp_path / "r.html") and hidden_files(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "words"), [("r.pdf", "name ending in .html"), (os.path.join("gone", "r.html"), "does not exist")]
)
def test_what_cannot_be_is_refused(report, tmp_path, name, words):
    with pytest.raises(QgsProcessingException, match=words):
        report(OUTPUT=str(tmp_path / name))


@pytest.mark.parametrize("epsg", [32633, None])
def test_a_mask_of_one_pixel_is_reported(report, tmp_path, epsg):
    page = report(MASK=write(tmp_path / "one.tif", np.ones((1, 1), "u1"), epsg=epsg))
    assert page.wrong == [] and not picture_of(page).isNull()
