"""Adapting as Processing sees it: the job, the verdict, the model that is left, before and after, and the names."""

import json
import os

import numpy as np
import pytest
import support
from osgeo import gdal
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsDateTimeRange,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QDateTime, Qt
from support import hidden_files, wait_until, write_scene

ADAPT, SEGMENT = "hazardmapper:adapttoscene", "hazardmapper:segmenthazard"


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    return support.models_folder_of(tmp_path, monkeypatch)


@pytest.fixture
def jobs(client, monkeypatch):
    """Kind and definition of every job that reaches the engine, but for questions about models."""
    return support.jobs_sent_by(client, monkeypatch)


@pytest.fixture
def adapt(provider, scene, project):
    def run(**parameters):
        return processing.run(ADAPT, {"INPUT": scene, "HAZARD": "flood", **parameters})

    return run


@pytest.fixture
def segment(provider, scene, tmp_path, project):
    def run(**parameters):
        values = {"INPUT": scene, "HAZARD": "flood", "OUTPUT": str(tmp_path / "mask.tif"), "ADAPT": True}
        return processing.run(SEGMENT, {**values, **parameters})

    return run


def refusal(call, **parameters):
    with pytest.raises(QgsProcessingException) as caught:
        call(**parameters)
    return [line for line in str(caught.value).splitlines() if line.strip()][-1]


def test_nothing_but_scene_and_hazard_is_the_engines_own_job(adapt, jobs, scene):
    from hazard_mapper.engine import protocol

    adapt(NAME="mine")
    assert jobs == [("adapt", protocol.AdaptJob(raster=scene, hazard="flood", save="mine"))]


def test_parameters_become_the_job(adapt, jobs, tmp_path):
    (tmp_path / "chips.csv").write_text("image,score,label\n")
    adapt(
        NAME="mine", MODEL="small", MODE="statistics", LAMBDA=0.3, MU=0.1, BUDGET_S=25, STEPS=7, BATCH_SIZE=2,
        LEARNING_RATE=0.01, REPLAY=str(tmp_path / "chips.csv"), DATE="2024-09-16", LONGITUDE=11.5, LATITUDE=-44.25,
        SEED=3, DEVICE="cpu", OVERWRITE=True, SENSOR="sentinel-2-l2a", UNITS="raw", GSD_M=20,
    )  # fmt: skip
    ((_, job),) = jobs
    assert (job.save, job.model, job.mode) == ("mine", "small", "statistics")
    assert (job.backward_weight, job.auxiliary_weight, job.budget_s, job.steps) == (0.3, 0.1, 25, 7)
    assert (job.batch_size, job.learning_rate, job.replay) == (2, 0.01, str(tmp_path / "chips.csv"))
    assert (job.date, job.longitude, job.latitude, job.seed) == ("2024-09-16", 11.5, -44.25, 3)
    assert (job.device, job.overwrite, job.sensor, job.units, job.gsd_m) == ("cpu", True, "sentinel-2-l2a", "raw", 20)


def test_what_is_left_empty_is_found_out_by_the_engine(adapt, jobs):
    adapt(NAME="mine", STEPS=0, DATE="", LONGITUDE=None)
    ((_, job),) = jobs
    assert (job.steps, job.date, job.longitude, job.latitude, job.sensor) == (None, None, None, None, None)


def test_it_learns_where_it_is_told_to(adapt, jobs, scene):
    extent = QgsRasterLayer(scene, "scene").extent()
    half = QgsRectangle(extent.xMinimum(), extent.yMinimum(), extent.center().x(), extent.yMaximum())
    adapt(NAME="mine", EXTENT=half)
    assert jobs[0][1].extent == (half.xMinimum(), half.yMinimum(), half.xMaximum(), half.yMaximum())


def day(text):
    return QDateTime.fromString(text, Qt.DateFormat.ISODate)


def with_days(path, *spans):
    layer = QgsRasterLayer(path, "dated")
    metadata = layer.metadata()
    extent = metadata.extent()
    extent.setTemporalExtents([QgsDateTimeRange(day(begin), day(end)) for begin, end in spans])
    metadata.setExtent(extent)
    layer.setMetadata(metadata)
    return layer


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([("2024-09-16T10:00:00", "2024-09-16T10:05:00")], "2024-09-16"),
        ([("2024-09-16T10:00:00", "")], "2024-09-16"),
        ([("2024-09-01T00:00:00", "2024-09-30T00:00:00")], None),
        ([("2024-09-16T10:00:00", ""), ("2024-09-18T10:00:00", "")], None),
        ([("2999-09-16T10:00:00", "")], None),
        ([], None),
    ],
)
def test_the_day_of_the_layers_metadata_is_used_if_it_is_one(adapt, segment, jobs, project, scene, spans, expected):
    layer = with_days(scene, *spans)
    project.addMapLayer(layer)
    adapt(INPUT=layer, NAME="one")
    segment(INPUT=layer, ADAPT_NAME="two")
    adapt(INPUT=layer, NAME="three", DATE="2020-01-02")
    dates = [job.date for kind, job in jobs if kind == "adapt"]
    assert dates == [expected, expected, "2020-01-02"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"LONGITUDE": 12.0}, "give both or neither"),
        ({"DATE": "16.9.2024"}, "'16.9.2024' is not a date"),
        ({"MODE": "hope"}, "Mode 'hope'"),
        ({"HAZARD": " "}, "No hazard is given"),
        ({"NAME": "refused"}, "no valid pixel"),
        ({"NAME": "unet"}, "'unet' exists already"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(adapt, parameters, words):
    assert words in refusal(adapt, **parameters)


def test_the_engines_flags_are_told_as_parameters():
    from hazard_mapper.hazard_plugin.algorithms.adaptation import flags_as_parameters

    told = flags_as_parameters("give --lon and --lat, fewer --batch-size, another --save or --budget-s", "ADAPT_")
    assert told == "give LONGITUDE and LATITUDE, fewer BATCH_SIZE, another ADAPT_NAME or ADAPT_BUDGET_S"


def test_outputs_tell_model_verdict_and_numbers(adapt, models_folder):
    results = adapt(NAME="mine")
    assert results["MODEL"] == str(models_folder / "mine") and results["MODEL_NAME"] == "mine"
    assert results["VERDICT"] == "adapted" and results["REASON"].startswith("Adapted: expected better")
    assert (results["ALPHA"], results["PROXY_BEFORE"], results["PROXY_AFTER"]) == (0.5, 0.41, 0.22)
    assert (results["AREA_BEFORE_M2"], results["AREA_AFTER_M2"]) == (12.1e6, 13.4e6)
    assert (results["THRESHOLD"], results["SECONDS"], results["STEPS_DONE"]) == (0.52, 18.2, 12)
    assert len(json.loads(results["ADAPTATION"])["stages"]) == 3


def test_a_model_is_left_even_when_it_abstains(adapt, models_folder):
    results = adapt(NAME="mine", HAZARD="glacier_collapse")
    assert results["VERDICT"] == "abstained" and results["AREA_AFTER_M2"] is None
    assert (models_folder / "mine" / "card.json").exists()


def test_the_automatic_name_tells_model_hazard_scene_and_day_and_is_free(adapt, models_folder, tmp_path):
    path = write_scene(tmp_path / "Überflutung (Süd) 1.tif")
    names = [adapt(INPUT=path, DATE="2024-09-16")["MODEL_NAME"] for _ in range(2)]
    stem = "unet-flood-Uberflutung-Sud-1-2024-09-16"
    assert names == [stem, f"{stem}-2"] and sorted(os.listdir(models_folder)) == names


def test_automatic_names_can_always_be_names():
    import re

    from hazard_mapper.hazard_plugin.algorithms.adaptation import automatic_name

    for scene in ("", "___", "x" * 300, "日本", "S2A_MSIL2A_20240916T100031_N0511_R122", "a/b\\c"):
        taken = set()
        for _ in range(12):
            name = automatic_name(
                "a_model_with_a_rather_long_name_of_its_own", "glacier_collapse", scene, "2024-09-16", taken
            )
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name) and name not in taken
            taken.add(name)


def test_segmenting_with_adapt_uses_the_adapted_model(segment, jobs, models_folder):
    results = segment(ADAPT_NAME="mine", ADAPT_BUDGET_S=20, ADAPT_MODE="literal", ADAPT_STEPS=5, DATE="2024-09-16")
    (first, adapt_job), (second, segment_job) = jobs
    assert (first, second) == ("adapt", "segment")
    assert (adapt_job.save, adapt_job.budget_s, adapt_job.mode, adapt_job.steps) == ("mine", 20, "literal", 5)
    assert adapt_job.date == "2024-09-16"
    assert segment_job.model == str(models_folder / "mine") and segment_job.threshold is None
    assert results["ADAPTED_MODEL"] == "mine" and results["MODEL_USED"] == "mine" and results["VERDICT"] == "adapted"
    assert results["THRESHOLD_USED"] == 0.52 and results["REASON"].startswith("Adapted")


def test_a_threshold_that_is_given_wins(segment, jobs):
    assert segment(THRESHOLD=0.3)["THRESHOLD_USED"] == 0.3
    assert jobs[1][1].threshold == 0.3


@pytest.mark.parametrize(("hazard", "verdict"), [("landslide", "rolled_back"), ("glacier_collapse", "abstained")])
def test_unless_adapted_the_source_maps_and_nothing_else_is_left(segment, jobs, models_folder, hazard, verdict):
    (models_folder / "other").mkdir()
    (models_folder / "other" / "card.json").write_text(json.dumps({"name": "other"}))
    results = segment(HAZARD=hazard, MODEL="unet")
    assert results["VERDICT"] == verdict and results["ADAPTED_MODEL"] == "" and results["MODEL_USED"] == "unet"
    assert jobs[1][1].model == "unet"
    assert os.listdir(models_folder) == ["other"]


def test_removing_a_saved_model_leaves_strange_files(tmp_path):
    from hazard_mapper.hazard_plugin.algorithms.adaptation import remove_saved

    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "precious").write_text("x")
    (folder / "SHA256SUMS").write_text("00  card.json\n00  ../precious\n")
    (folder / "card.json").write_text("{}")
    (folder / "notes.txt").write_text("mine")
    remove_saved(str(folder))
    assert os.listdir(folder) == ["notes.txt"] and (tmp_path / "precious").exists()


def test_before_after_and_difference_are_written(segment, tmp_path, jobs):
    wanted = {name: str(tmp_path / f"{name}.tif") for name in ("PROBABILITY_BEFORE", "MASK_BEFORE", "DIFFERENCE")}
    results = segment(PROBABILITY=str(tmp_path / "p.tif"), **wanted)
    assert [kind for kind, _ in jobs] == ["adapt", "segment", "segment"]
    assert {name: results[name] for name in wanted} == wanted
    before = gdal.Open(wanted["PROBABILITY_BEFORE"]).ReadAsArray().astype(int)
    after = gdal.Open(results["PROBABILITY"]).ReadAsArray().astype(int)
    raster = gdal.Open(wanted["DIFFERENCE"])
    expected = np.where((before == 255) | (after == 255), -32768, after - before)
    assert (raster.ReadAsArray() == expected).all() and expected.max() == 30
    assert raster.GetRasterBand(1).GetNoDataValue() == -32768
    assert raster.GetGeoTransform() == gdal.Open(results["PROBABILITY"]).GetGeoTransform()
    assert hidden_files(tmp_path) == []
    layer = QgsRasterLayer(wanted["DIFFERENCE"], "change")
    assert layer.renderer().type() == "singlebandpseudocolor", "a style lies beside it"
    assert QgsRasterLayer(wanted["MASK_BEFORE"], "m").renderer().type() in ("paletted", "singlebandgray")


def test_the_difference_alone_needs_no_other_output(segment, tmp_path):
    results = segment(DIFFERENCE=str(tmp_path / "change.tif"))
    assert "PROBABILITY" not in results and "PROBABILITY_BEFORE" not in results
    assert gdal.Open(results["DIFFERENCE"]).ReadAsArray().max() == 30


def test_where_nothing_was_adapted_before_and_after_are_the_same(segment, tmp_path, jobs):
    wanted = {name: str(tmp_path / f"{name}.tif") for name in ("PROBABILITY_BEFORE", "DIFFERENCE")}
    segment(HAZARD="landslide", **wanted)
    assert [kind for kind, _ in jobs] == ["adapt", "segment"]
    change = gdal.Open(wanted["DIFFERENCE"]).ReadAsArray()
    assert set(change.ravel()) == {0, -32768} and hidden_files(tmp_path) == []


def test_comparing_needs_an_adaptation_and_outputs_of_their_own(segment, tmp_path, jobs):
    path = str(tmp_path / "change.tif")
    assert "set ADAPT" in refusal(segment, ADAPT=False, DIFFERENCE=path)
    assert "choose two names" in refusal(segment, DIFFERENCE=path, PROBABILITY_BEFORE=path)
    assert jobs == []


def test_processing_loads_the_comparison_named_and_styled(provider, scene, tmp_path, project):
    layer = QgsRasterLayer(scene, "Faenza")
    project.addMapLayer(layer)
    values = {"INPUT": layer, "HAZARD": "flood", "OUTPUT": str(tmp_path / "mask.tif"), "ADAPT": True}
    values["DIFFERENCE"] = str(tmp_path / "change.tif")
    processing.runAndLoadResults(SEGMENT, values)
    names = {found.name(): found for found in project.mapLayers().values()}
    change = names["Flood change by adapting - Faenza"]
    assert change.renderer().type() == "singlebandpseudocolor"
    assert change.customProperty("hazardmapper/kind") == "difference"


class Listener(QgsProcessingFeedback):
    def __init__(self):
        super().__init__(False)
        self.shares = []
        self.lines = []
        self.progressChanged.connect(self.shares.append)

    def pushInfo(self, text):
        self.lines.append(text)


def start(algorithm_id, values, feedback):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
    context = QgsProcessingContext()
    task = QgsProcessingAlgRunnerTask(algorithm, values, context, feedback)
    outcome = []
    task.executed.connect(lambda ok, results: outcome.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    return outcome, (algorithm, context, task)


def test_adapting_takes_the_first_part_of_the_progress(segment, provider, scene, tmp_path):
    feedback = Listener()
    values = {"INPUT": scene, "HAZARD": "flood", "OUTPUT": str(tmp_path / "mask.tif"), "ADAPT": True}
    processing.run(SEGMENT, {**values, "ADAPT_BUDGET_S": 45}, feedback=feedback)
    assert feedback.shares == sorted(feedback.shares)
    assert any(0 < share < 75 for share in feedback.shares) and any(share > 75 for share in feedback.shares)
    assert any(line.startswith("Adapted: expected better") for line in feedback.lines)


def test_a_cancelled_adaptation_leaves_no_file_and_no_model(provider, scene, tmp_path, project, models_folder):
    feedback = Listener()
    values = {"INPUT": scene, "HAZARD": "slow", "OUTPUT": str(tmp_path / "mask.tif"), "ADAPT": True}
    outcome, _kept = start(SEGMENT, values, feedback)
    assert wait_until(lambda: feedback.progress() > 0)
    feedback.cancel()
    assert wait_until(lambda: outcome, 5)
    assert outcome[0][1] == {} and "nothing was written" in feedback.lines[-1]
    assert not (tmp_path / "mask.tif").exists() and os.listdir(models_folder) == []


def test_a_question_for_the_models_that_hangs_can_be_cancelled(provider, scene, monkeypatch, project, models_folder):
    monkeypatch.setenv("FAKE_MODELS", "hangs")
    feedback = Listener()
    outcome, _kept = start(ADAPT, {"INPUT": scene, "HAZARD": "flood"}, feedback)
    assert not wait_until(lambda: outcome, 1)
    feedback.cancel()
    assert wait_until(lambda: outcome, 5) and outcome[0][1] == {}


def test_keeping_the_best_ends_the_adaptation_and_goes_on(provider, scene, tmp_path, project, models_folder):
    from hazard_mapper.hazard_plugin.engine_feedback import EngineFeedback

    feedback = EngineFeedback()
    kinds, losses = [], []
    feedback.began.connect(kinds.append)
    feedback.measured.connect(lambda step, values: losses.append(values))
    values = {"INPUT": scene, "HAZARD": "slow", "OUTPUT": str(tmp_path / "mask.tif"), "ADAPT": True}
    outcome, _kept = start(SEGMENT, {**values, "ADAPT_NAME": "mine"}, feedback)
    assert wait_until(lambda: len(losses) > 3)
    feedback.keep_best()
    assert wait_until(lambda: outcome, 10)
    assert outcome[0][1]["ADAPTED_MODEL"] == "mine" and (tmp_path / "mask.tif").exists()
    assert kinds == ["models", "", "adapt", "", "segment", ""] and "proxy" in losses[0]


def test_cancelling_while_it_segments_leaves_no_adapted_model(provider, scene, tmp_path, project, models_folder):
    from hazard_mapper.hazard_plugin.engine_feedback import EngineFeedback

    feedback = EngineFeedback()
    kinds = []
    feedback.began.connect(kinds.append)
    values = {"INPUT": scene, "HAZARD": "slow", "OUTPUT": str(tmp_path / "mask.tif"), "ADAPT": True}
    values["DIFFERENCE"] = str(tmp_path / "change.tif")
    outcome, _kept = start(SEGMENT, values, feedback)
    assert wait_until(lambda: "adapt" in kinds)
    feedback.keep_best()
    assert wait_until(lambda: "segment" in kinds)
    feedback.cancel()
    assert wait_until(lambda: outcome, 10)
    assert outcome[0][1] == {} and os.listdir(models_folder) == [] and hidden_files(tmp_path) == []
    assert not (tmp_path / "change.tif").exists()


@pytest.mark.parametrize("hazard", ["flood", "landslide"])
def test_cancelling_once_the_mask_is_there_leaves_out_only_the_comparison(
    provider, scene, tmp_path, project, models_folder, hazard
):
    from hazard_mapper.hazard_plugin.engine_feedback import EngineFeedback

    class CancelledOnceMapped(EngineFeedback):
        def begin(self, kind):
            super().begin(kind)
            if not kind and (tmp_path / "mask.tif").exists():
                self.cancel()

    feedback = CancelledOnceMapped()
    files = {name: str(tmp_path / f"{name}.tif") for name in ("MASK_BEFORE", "PROBABILITY_BEFORE", "DIFFERENCE")}
    values = {"INPUT": scene, "HAZARD": hazard, "ADAPT": True, "ADAPT_NAME": "mine", **files}
    values.update(OUTPUT=str(tmp_path / "mask.tif"), PROBABILITY=str(tmp_path / "probability.tif"))
    outcome, _kept = start(SEGMENT, values, feedback)
    assert wait_until(lambda: outcome, 10)
    found = outcome[0][1]
    assert found["OUTPUT"] == values["OUTPUT"] and found["PROBABILITY"] == values["PROBABILITY"]
    assert found["HAZARD_AREA_M2"] == 13_400_000.0 and not set(files) & set(found)
    assert "without the comparison" in found["WARNINGS"] and "without the comparison" in feedback.warnings[-1]
    assert hidden_files(tmp_path) == [] and not any(os.path.exists(path) for path in files.values())
    adapted = ["mine"] if hazard == "flood" else []
    assert os.listdir(models_folder) == adapted and found["ADAPTED_MODEL"] == "".join(adapted)


def test_a_comparison_that_cannot_be_written_leaves_the_mask(provider, scene, tmp_path, project, monkeypatch):
    from hazard_mapper.engine import protocol
    from hazard_mapper.hazard_plugin.algorithms import comparison

    def disk_full(*_):
        raise protocol.OutputFailed("The disk is full.")

    monkeypatch.setattr(comparison, "write_difference", disk_full)
    values = {"INPUT": scene, "HAZARD": "flood", "ADAPT": True, "DIFFERENCE": str(tmp_path / "d.tif")}
    found = processing.run(SEGMENT, {**values, "OUTPUT": str(tmp_path / "mask.tif")}, feedback=Listener())
    assert found["OUTPUT"] == str(tmp_path / "mask.tif") and "DIFFERENCE" not in found
    assert "kept, without the comparison: The disk is full." in found["WARNINGS"]
    assert hidden_files(tmp_path) == [] and not (tmp_path / "d.tif").exists()


def test_both_algorithms_explain_every_parameter(provider):
    for algorithm_id in (ADAPT, SEGMENT):
        algorithm = QgsApplication.processingRegistry().algorithmById(algorithm_id)
        assert algorithm.shortHelpString() and algorithm.shortDescription() and algorithm.groupId() == "mapping"
        for parameter in algorithm.parameterDefinitions():
            assert parameter.description(), parameter.name()
