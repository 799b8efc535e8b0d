"""A scene from before the event in the algorithm: what is asked of the engine, and what is refused."""

import pytest
from pairs import SEGMENT, refusal, values_of, write_date
from qgis import processing
from qgis.core import QgsDateTimeRange, QgsRasterLayer
from qgis.PyQt.QtCore import QDate, QDateTime, QTime
from support import jobs_sent_by


@pytest.fixture
def pair(tmp_path):
    later = write_date(tmp_path / "later.tif", flooded=True, date="2024-09-16")
    return later, write_date(tmp_path / "earlier.tif", flooded=False, date="2024-05-01")


@pytest.fixture
def sent(client, monkeypatch):
    return jobs_sent_by(client, monkeypatch)


def test_parameters_become_fields_of_the_job(provider, project, pair, sent, tmp_path):
    parameters = {"BEFORE_BANDS": "blue,green,red,nir,-,-", "BEFORE_UNITS": "raw", "BEFORE_SENSOR": "planetscope"}
    processing.run(SEGMENT, values_of(pair, tmp_path, BEFORE_DATE="2024-05-02", **parameters))
    ((_, job),) = sent
    assert job.before == pair[1] and job.before_bands == ("blue", "green", "red", "nir", "-", "-")
    assert (job.before_units, job.before_sensor, job.before_date) == ("raw", "planetscope", "2024-05-02")
    assert job.before_name is None


def test_the_day_of_the_layer_is_told_to_the_engine(provider, project, pair, sent, tmp_path):
    layer = QgsRasterLayer(pair[1], "May")
    properties = layer.temporalProperties()
    properties.setIsActive(True)
    day = QDate(2024, 4, 30)
    properties.setFixedTemporalRange(QgsDateTimeRange(QDateTime(day, QTime(0, 0)), QDateTime(day, QTime(23, 59))))
    processing.run(SEGMENT, values_of((pair[0], layer), tmp_path))
    assert sent[0][1].before_date == "2024-04-30"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"BEFORE": None, "BEFORE_UNITS": "raw"}, "BEFORE_UNITS is about a scene before the event"),
        ({"BEFORE": "/nowhere.tif"}, "BEFORE"),
        ({"BEFORE_BANDS": "blue,purple"}, "'purple' is not known"),
        ({"BEFORE_UNITS": "feet"}, "Units 'feet'"),
        ({"BEFORE_DATE": "in May"}, "in May"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(provider, project, pair, sent, tmp_path, parameters, words):
    assert words in refusal(pair, tmp_path, **parameters)
    assert sent == [] and not (tmp_path / "mask.tif").exists()


def test_the_scene_itself_and_one_of_elsewhere_are_refused(provider, project, pair, sent, tmp_path):
    later, _ = pair
    assert "is the scene itself" in refusal((later, later), tmp_path)
    far = write_date(tmp_path / "far.tif", flooded=False, origin=(700_000.0, 4_900_000.0))
    assert "does not lie where 'later' does" in refusal((later, far), tmp_path)
    assert sent == []


def test_the_engine_names_flags_and_the_toolbox_parameters(provider, project, pair, client, monkeypatch, tmp_path):
    from hazard_mapper.engine.protocol import BadInput

    def refuse(kind, job, *rest):
        raise BadInput("swap the two, or correct a date (--date, --before-date); not --others.")

    monkeypatch.setattr(client, "run", refuse)
    assert refusal(pair, tmp_path).endswith("swap the two, or correct a date (DATE, BEFORE_DATE); not --others.")
