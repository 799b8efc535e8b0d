"""A scene from before the event while a model adapts: what the engine is asked, what is refused, and what is told."""

import pytest
from pairs import SEGMENT, refusal, values_of, write_date
from qgis import processing
from qgis.core import QgsProcessingException, QgsProcessingFeedback, QgsRasterLayer
from support import jobs_sent_by, models_folder_of

ADAPT = "hazardmapper:adapttoscene"
SENTENCE = "Ground that did not change since 2024-05-01 (68 % of the view) was used: nothing is new there."
TOLD = {
    "reason": "Adapted: expected better.",
    "unchanged_share": 0.684,
    "before_name": "may.tif",
    "before_date": "2024-05-01",
    "stages": [{"stage": "source"}],
}


@pytest.fixture
def pair(tmp_path, monkeypatch):
    models_folder_of(tmp_path, monkeypatch)
    later = write_date(tmp_path / "later.tif", flooded=True, date="2024-09-16")
    return later, write_date(tmp_path / "earlier.tif", flooded=False, date="2024-05-01")


@pytest.fixture
def sent(client, monkeypatch):
    return jobs_sent_by(client, monkeypatch)


def before_of(job):
    names = ("before", "before_bands", "before_units", "before_sensor", "before_date", "before_name")
    return tuple(getattr(job, name) for name in names)


CORRECTED = {
    "BEFORE_BANDS": "blue,green,red,nir,-,-",
    "BEFORE_UNITS": "raw",
    "BEFORE_SENSOR": "planetscope",
    "BEFORE_DATE": "2024-05-02",
}


def test_both_jobs_of_a_run_get_the_same_scene_before(provider, project, pair, sent, tmp_path):
    outputs = {"MASK_BEFORE": str(tmp_path / "unadapted.tif"), "PROBABILITY": str(tmp_path / "p.tif")}
    processing.run(SEGMENT, values_of(pair, tmp_path, ADAPT=True, ADAPT_NAME="may", **CORRECTED, **outputs))
    bands = ("blue", "green", "red", "nir", "-", "-")
    expected = (pair[1], bands, "raw", "planetscope", "2024-05-02", None)
    assert [(kind, before_of(job)) for kind, job in sent] == [(kind, expected) for kind in ("adapt", *["segment"] * 2)]
    assert "Water on both dates" in (tmp_path / "unadapted.qml").read_text("utf-8")


def test_adapt_to_scene_takes_it_as_segment_hazard_does(provider, project, pair, sent, tmp_path):
    given = {"INPUT": pair[0], "BEFORE": pair[1], "HAZARD": "flood"}
    processing.run(ADAPT, {**given, "NAME": "one", **CORRECTED})
    processing.run(SEGMENT, values_of(pair, tmp_path, **CORRECTED))
    processing.run(ADAPT, {**given, "BEFORE": None, "NAME": "two"})
    (_, adapt), (_, segment), (_, alone) = sent
    assert before_of(adapt) == before_of(segment) and adapt.before == pair[1]
    assert before_of(alone) == (None,) * 6


def test_a_layer_that_has_to_be_copied_is_copied_once_for_both(provider, project, pair, sent, tmp_path):
    layer = QgsRasterLayer(write_date(tmp_path / "misplaced.tif", flooded=False, epsg=32632), "May")
    layer.setCrs(QgsRasterLayer(pair[0], "later").crs())
    processing.run(SEGMENT, values_of((pair[0], layer), tmp_path, ADAPT=True))
    (_, adapt), (_, segment) = sent
    assert adapt.before == segment.before != str(tmp_path / "misplaced.tif")
    assert adapt.before_name == segment.before_name == "May"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"BEFORE": None, "BEFORE_UNITS": "raw"}, "BEFORE_UNITS is about a scene before the event"),
        ({"BEFORE": "/nowhere.tif"}, "BEFORE"),
        ({"BEFORE_BANDS": "blue,purple"}, "'purple' is not known"),
        ({"BEFORE_SENSOR": "eye"}, "Sensor 'eye'"),
        ({"BEFORE_DATE": "in May"}, "in May"),
    ],
)
def test_what_cannot_be_is_refused_before_it_learns(provider, project, pair, sent, tmp_path, parameters, words):
    values = {"INPUT": pair[0], "BEFORE": pair[1], "HAZARD": "flood", **parameters}
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(ADAPT, values)
    assert words in str(caught.value)
    assert words in refusal(pair, tmp_path, ADAPT=True, **parameters)
    with pytest.raises(QgsProcessingException, match="is the scene itself"):
        processing.run(ADAPT, {**values, "BEFORE": pair[0]})
    assert sent == []


def test_log_outputs_and_metadata_say_that_unchanged_ground_was_used(provider, project, pair, tmp_path):
    feedback = QgsProcessingFeedback(False)
    values = values_of(pair, tmp_path, ADAPT=True, BEFORE_DATE="2024-05-01")
    results = processing.runAndLoadResults(SEGMENT, values, feedback=feedback)
    assert SENTENCE in feedback.textLog() and results["UNCHANGED_SHARE"] == 0.68
    (mask,) = [one for one in project.mapLayers().values() if one.customProperty("hazardmapper/kind") == "mask"]
    assert any(line.startswith("Adaptation: Adapted") and SENTENCE in line for line in mask.metadata().history())
    feedback = QgsProcessingFeedback(False)
    results = processing.run(ADAPT, {"INPUT": pair[0], "HAZARD": "flood", "NAME": "alone"}, feedback=feedback)
    assert "did not change" not in feedback.textLog() and results["UNCHANGED_SHARE"] is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, SENTENCE),
        ({"before_date": None}, SENTENCE.replace("2024-05-01", "'may.tif'")),
        ({"before_date": None, "before_name": None}, SENTENCE.replace("2024-05-01", "the scene before")),
        ({"unchanged_share": 0.004}, SENTENCE.replace("68", "less than 1")),
        ({"unchanged_share": 0}, "No ground was found that did not change since 2024-05-01, so it could not help."),
        ({"unchanged_share": None}, ""),
        ({"stages": []}, ""),
    ],
)
def test_the_sentence_says_what_was_found(told, expected):
    from hazard_mapper.hazard_plugin.adaptation_words import outcome_text, unchanged_text

    assert unchanged_text({**TOLD, **told}) == expected
    assert outcome_text({**TOLD, **told}) == f"Adapted: expected better. {expected}".strip()


def test_report_model_card_and_sheet_say_it(provider):
    from hazard_mapper.hazard_plugin.adaptation_report import adaptation_html
    from hazard_mapper.hazard_plugin.sheet.content import confidence_of

    page = adaptation_html({**TOLD, "verdict": "adapted", "before_name": "<may>.tif"})
    assert SENTENCE in page and "<td>Scene before</td><td>&lt;may&gt;.tif</td>" in page
    assert confidence_of({"hazard": "flood", "adaptation": TOLD}, {}, False).endswith(SENTENCE)
