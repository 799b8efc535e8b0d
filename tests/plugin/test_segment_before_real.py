"""A scene from before the event in the algorithm, with the real engine and a bundled network: what the analyst gets."""

import json
import re

import numpy as np
import pytest
from osgeo import gdal
from pairs import FLOOD, HEIGHT, LAKE, SEGMENT, WIDTH, refusal, values_of, write_date
from qgis import processing
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
)


@pytest.fixture
def pair(tmp_path):
    later = write_date(tmp_path / "later.tif", flooded=True, date="2024-09-16")
    return later, write_date(tmp_path / "earlier.tif", flooded=False, date="2024-05-01")


def test_what_is_new_is_hazard_and_the_lake_a_class_of_its_own(engine, project, pair, tmp_path):
    feedback = QgsProcessingFeedback(False)
    results = processing.run(SEGMENT, values_of(pair, tmp_path), feedback=feedback)
    codes = gdal.Open(results["OUTPUT"]).ReadAsArray()
    inner = (
        tuple(slice(part.start + 3, part.stop - 3) for part in FLOOD),
        tuple(slice(part.start + 3, part.stop - 3) for part in LAKE),
    )
    assert np.mean(codes[inner[0]] == 1) > 0.9 and np.mean(codes[inner[1]] == 2) > 0.9
    assert results["QUESTION"] == "new" and results["BEFORE_DATE_USED"] == "2024-05-01"
    assert results["HAZARD_AREA_M2"] == pytest.approx(np.count_nonzero(codes == 1) * 100, rel=0.002)
    assert results["PERMANENT_AREA_M2"] == pytest.approx(np.count_nonzero(codes == 2) * 100, rel=0.002)
    assert results["BEFORE_NAME"] == "earlier.tif" and len(results["BEFORE_SHA256"]) == 64
    assert json.loads(results["JOB"])["before"] == pair[1]
    log = feedback.textLog()
    assert "what is new since 'earlier.tif' of 2024-05-01" in log and "Water on both dates" in log
    assert "0.0 pixels apart" in log


def test_without_it_the_question_is_what_is_there(engine, project, pair, tmp_path):
    results = processing.run(SEGMENT, values_of(pair, tmp_path, BEFORE=None))
    codes = gdal.Open(results["OUTPUT"]).ReadAsArray()
    assert np.mean(codes[FLOOD] == 1) > 0.8 and np.mean(codes[LAKE] == 1) > 0.8 and not (codes == 2).any()
    assert results["QUESTION"] == "present" and results["PERMANENT_AREA_M2"] is None and not results["BEFORE_NAME"]


def test_a_layer_whose_file_says_other_than_qgis_shows_is_copied(engine, project, pair, tmp_path):
    later, _ = pair
    misplaced = write_date(tmp_path / "misplaced.tif", flooded=False, epsg=32632)
    layer = QgsRasterLayer(misplaced, "May")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    results = processing.run(SEGMENT, values_of((later, layer), tmp_path, BEFORE_DATE="2024-05-01"))
    codes = gdal.Open(results["OUTPUT"]).ReadAsArray()
    assert np.mean(codes[FLOOD] == 1) > 0.8 and np.mean(codes[LAKE] == 2) > 0.8
    tags = gdal.Open(results["OUTPUT"]).GetMetadata()
    assert tags["HAZARD_BEFORE"] == "May" and tags["HAZARD_BEFORE_DATE"] == "2024-05-01"


def test_the_result_is_named_and_its_legend_shows_water_of_both_dates(engine, project, pair, tmp_path):
    for path in pair:
        project.addMapLayer(QgsRasterLayer(path, path.rsplit("/", 1)[-1][:-4]))
    layers = {layer.name(): layer for layer in project.mapLayers().values()}
    values = values_of((layers["later"], layers["earlier"]), tmp_path)
    processing.runAndLoadResults(SEGMENT, values)
    (mask,) = project.mapLayersByName("New flood - later")
    assert mask.customProperty("hazardmapper/before") == "earlier"
    assert [entry.label for entry in mask.renderer().classes()] == ["None", "New flood", "Water on both dates"]
    assert any("earlier.tif" in line for line in mask.metadata().history())
    beside = QgsRasterLayer(str(tmp_path / "mask.tif"), "as opened elsewhere")
    assert [entry.value for entry in beside.renderer().classes()] == [0, 1, 2]


def test_swapped_scenes_are_told_by_the_engine(engine, project, pair, tmp_path):
    assert "swap the two" in refusal(pair[::-1], tmp_path)
    assert not (tmp_path / "mask.tif").exists()


def test_where_the_scene_before_has_no_value_the_scene_is_assessed_by_itself(engine, project, pair, tmp_path):
    half = write_date(tmp_path / "half.tif", flooded=False, date="2024-05-01", columns=slice(56, 128))
    results = processing.run(SEGMENT, values_of((pair[0], half), tmp_path))
    codes = gdal.Open(results["OUTPUT"]).ReadAsArray()
    assert np.mean(codes[FLOOD] == 1) > 0.8 and np.mean(codes[LAKE] == 1) > 0.8


def test_an_adaptation_uses_ground_that_did_not_change(engine, project, pair, tmp_path):
    feedback = QgsProcessingFeedback(False)
    values = {"INPUT": pair[0], "BEFORE": pair[1], "HAZARD": "flood", "MODE": "statistics"}
    values.update(NAME=str(tmp_path / "adapted"), BUDGET_S=20)
    results = processing.run("hazardmapper:adapttoscene", values, feedback=feedback)
    land = 1 - (FLOOD[0].stop - FLOOD[0].start) * (FLOOD[1].stop - FLOOD[1].start) / (HEIGHT * WIDTH)
    assert results["UNCHANGED_SHARE"] == pytest.approx(land, abs=0.1)
    told = json.loads(results["ADAPTATION"])
    assert told["before_name"] == "earlier.tif" and told["before_date"] == "2024-05-01" and told["stages"]
    percent = f"{100 * results['UNCHANGED_SHARE']:.0f}"
    log = feedback.textLog()
    assert f"Ground that did not change since 2024-05-01 ({percent} % of the view) was used" in log
    assert "0.0 pixels apart" in log
    mapped = {**values_of(pair, tmp_path), "MODEL": results["MODEL"]}
    processing.run(SEGMENT, mapped)
    page = tmp_path / "report.html"
    processing.run("hazardmapper:hazardreport", {"MASK": mapped["OUTPUT"], "OUTPUT": str(page)})
    assert f"({percent} % of the view) was used" in page.read_text("utf-8")


@pytest.fixture
def mapped(engine, project, pair, tmp_path):
    """A mask and probability of what is new, in the project."""
    values = values_of(pair, tmp_path, PROBABILITY=str(tmp_path / "probability.tif"))
    processing.runAndLoadResults(SEGMENT, values)
    (mask,) = project.mapLayersByName("New flood - later")
    return mask


def test_run_again_hashes_the_scene_before_and_names_its_result_alike(mapped, pair, project, tmp_path):
    again = {"INPUT": mapped, "OUTPUT": str(tmp_path / "again.tif")}
    results = processing.runAndLoadResults("hazardmapper:runagain", again)
    assert results["DIFFERENT_PIXELS"] == 0
    layers = project.mapLayersByName("New flood - later")
    assert len(layers) == 2 and all(len(layer.renderer().classes()) == 3 for layer in layers)
    write_date(pair[1], flooded=True, date="2024-05-01")
    with pytest.raises(QgsProcessingException, match="scene before"):
        processing.run("hazardmapper:runagain", {"INPUT": mapped, "OUTPUT": str(tmp_path / "third.tif")})


def test_report_sheet_and_package_say_with_what_it_was_compared(mapped, project, tmp_path):
    codes = gdal.Open(mapped.source()).ReadAsArray()
    page = tmp_path / "report.html"
    processing.run("hazardmapper:hazardreport", {"MASK": mapped, "OUTPUT": str(page)})
    text = page.read_text("utf-8")
    for words in ("New flood delineation", "compared with 2024-05-01", "earlier.tif", "Water on both dates"):
        assert words in text, words
    assert "includes permanent water" not in text and "from one image" not in text
    water_ha = (codes == 2).sum() * 100 / 1e4
    assert re.search(r"Water on both dates</th><td>([\d.]+) ha", text)[1] == f"{water_ha:.3g}"
    polygons = str(tmp_path / "polygons.gpkg")
    processing.run("hazardmapper:hazardpolygons", {"INPUT": mapped, "OUTPUT": polygons})
    given = {"POLYGONS": polygons, "MASK": mapped, "ACTIVATION": "EMSR999", "LOCALITY": "Faenza"}
    processing.run("hazardmapper:emergencypackage", {**given, "FOLDER": str(tmp_path / "package")})
    found = {
        path.suffix: path.read_text("utf-8")
        for path in (tmp_path / "package").rglob("*.*")
        if path.suffix in (".txt", ".json")
    }
    assert "earlier.tif, 2024-05-01: only what is new since is mapped" in found[".txt"]
    told = json.loads(found[".json"])["provenance"]
    assert told["before_name"] == "earlier.tif" and told["question"] and len(told["before_sha256"]) == 64


def test_where_the_scene_before_ends_the_log_the_report_and_the_sheet_say_so(engine, project, pair, tmp_path):
    from hazard_mapper.engine import protocol
    from hazard_mapper.hazard_plugin.package_readme import image_before
    from hazard_mapper.hazard_plugin.sheet.content import confidence_of, figures_of

    part = write_date(tmp_path / "part.tif", flooded=False, date="2024-05-01", columns=slice(0, 96))
    results = processing.run(SEGMENT, values_of((pair[0], part), tmp_path))
    assert results["SHARE_COMPARED"] == pytest.approx(0.75, abs=0.001)
    assert "has values for 7" in results["WARNINGS"] and "new or not" in results["WARNINGS"]
    told = engine.run("provenance", protocol.ProvenanceJob(results["OUTPUT"]), QgsProcessingFeedback())
    assert ("Not compared", "25 %") in figures_of(told, {}, "", {})
    assert "left out. But 25 % of what was assessed is not on the image before" in confidence_of(told, {}, False)
    assert "only what is new since is mapped (25 % of what was assessed it does not show" in image_before(told)
    page = tmp_path / "report.html"
    processing.run("hazardmapper:hazardreport", {"MASK": results["OUTPUT"], "OUTPUT": str(page)})
    assert "Not compared</th><td>25 %" in page.read_text("utf-8")
    whole = {**told, "share_compared": 0.995}
    assert "Not compared" not in dict(figures_of(whole, {}, "", {})) and "But" not in confidence_of(whole, {}, False)
    assert "not show" not in image_before(whole)


def test_the_sheets_mask_shows_water_of_both_dates(mapped):
    from hazard_mapper.hazard_plugin.sheet.layers import dressed_mask

    told = {"hazard": "flood", "question": "new since the scene before", "before_name": "earlier.tif"}
    drawn = dressed_mask(mapped, "flood", told)
    labels = [(entry.value, entry.label) for entry in drawn.renderer().classes()]
    assert labels == [(1, "New flood"), (2, "Water on both dates")]


def test_another_threshold_says_that_it_does_not_tell_water_of_both_dates_apart(mapped, engine, tmp_path):
    from hazard_mapper.engine import protocol

    probability = next(iter(QgsProject.instance().mapLayersByName("Flood probability - later")))
    feedback = QgsProcessingFeedback(False)
    values = {"PROBABILITY": probability, "THRESHOLD": 0.6, "OUTPUT": str(tmp_path / "cut.tif")}
    processing.run("hazardmapper:applythreshold", values, feedback=feedback)
    assert "Water on both dates is not told apart without the run's mask" in feedback.textLog()
    percent, codes = (gdal.Open(str(tmp_path / name)).ReadAsArray() for name in ("probability.tif", "cut.tif"))
    assert np.array_equal(codes == 1, (percent >= 60) & (percent <= 100)) and not (codes == 2).any()
    told = engine.run("provenance", protocol.ProvenanceJob(str(tmp_path / "cut.tif")), feedback)
    assert told["permanent_area_m2"] is None and told["before_name"] == "earlier.tif"
    told = engine.run("provenance", protocol.ProvenanceJob(mapped.source()), feedback)
    whole = gdal.Open(mapped.source()).ReadAsArray()
    assert told["permanent_area_m2"] == pytest.approx((whole == 2).sum() * 100, rel=0.002)


def test_another_threshold_keeps_water_of_both_dates_where_the_runs_mask_is_given(mapped, project, tmp_path):
    probability = next(iter(project.mapLayersByName("Flood probability - later")))
    values = {"PROBABILITY": probability, "THRESHOLD": 0.6, "RUN_MASK": mapped, "OUTPUT": str(tmp_path / "cut.tif")}
    feedback = QgsProcessingFeedback(False)
    results = processing.run("hazardmapper:applythreshold", values, feedback=feedback)
    whole, percent, codes = (
        gdal.Open(str(tmp_path / name)).ReadAsArray() for name in ("mask.tif", "probability.tif", "cut.tif")
    )
    new = (percent >= 60) & (percent <= 100)
    assert np.array_equal(codes == 1, new) and np.array_equal(codes == 2, (whole == 2) & ~new) and (codes == 2).any()
    assert results["PERMANENT_AREA_M2"] == pytest.approx((codes == 2).sum() * 100, rel=0.002)
    assert "by the run's own threshold" in feedback.textLog() and "not told apart" not in feedback.textLog()
    page = tmp_path / "report.html"
    processing.run("hazardmapper:hazardreport", {"MASK": str(tmp_path / "cut.tif"), "OUTPUT": str(page)})
    water_ha = (codes == 2).sum() * 100 / 1e4
    assert re.search(r"Water on both dates</th><td>([\d.]+) ha", page.read_text("utf-8"))[1] == f"{water_ha:.3g}"
    again = {"INPUT": str(tmp_path / "cut.tif"), "OUTPUT": str(tmp_path / "again.tif")}
    assert processing.run("hazardmapper:runagain", again)["DIFFERENT_PIXELS"] == 0
    other = {**values, "RUN_MASK": str(tmp_path / "cut.tif"), "OUTPUT": str(tmp_path / "third.tif")}
    with pytest.raises(QgsProcessingException, match="since then: threshold"):
        processing.run("hazardmapper:applythreshold", other)
    assert not (tmp_path / "third.tif").exists()
