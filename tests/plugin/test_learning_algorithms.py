"""The algorithms that train and evaluate: the job they ask for, what they refuse, and what Processing gets to see."""

import os
import threading
import time

import pytest
import support
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsTask,
)
from qgis.PyQt.QtCore import QThreadPool
from support import wait_until, write_scene

TRAIN, PRETRAIN, EVALUATE = (f"hazardmapper:{name}" for name in ("trainhazard", "pretrainmodel", "evaluatemask"))


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    return support.models_folder_of(tmp_path, monkeypatch)


@pytest.fixture
def jobs(training, monkeypatch):
    """Every job that reaches the worker that trains."""
    sent = []
    run = training.run

    def record(kind, job, feedback=None):
        sent.append((kind, job))
        return run(kind, job, feedback)

    monkeypatch.setattr(training, "run", record)
    return sent


class Listener(QgsProcessingFeedback):
    """Keeps what it was told."""

    def __init__(self):
        super().__init__(False)
        self.lines = []
        self.stages = []

    def pushInfo(self, text):
        self.lines.append(text)

    def setProgressText(self, text):
        self.stages.append(text)


def refusal(call):
    with pytest.raises(QgsProcessingException) as caught:
        call()
    return [line for line in str(caught.value).splitlines() if line.strip()][-1]


def test_every_field_of_a_job_is_a_parameter_with_the_jobs_own_default(provider):
    import dataclasses

    for algorithm_id in (TRAIN, PRETRAIN):
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
        names = {spec.name.upper(): spec.default for spec in dataclasses.fields(algorithm.job_type)}
        assert names.keys() == {p.name() for p in algorithm.parameterDefinitions()}
        for parameter in algorithm.parameterDefinitions():
            assert parameter.description() and parameter.help(), parameter.name()
        assert algorithm.parameterDefinition("LEARNING_RATE").defaultValue() == names["LEARNING_RATE"]
        assert algorithm.shortHelpString() and algorithm.shortDescription() and algorithm.groupId() == "models"


def test_nothing_but_a_name_is_the_engines_own_job(provider, jobs):
    from hazard_mapper.engine import protocol

    processing.run(PRETRAIN, {"SAVE": "first"})
    processing.run(TRAIN, {"SAVE": "second"})
    assert jobs == [
        ("pretrain", protocol.PretrainJob(data="simulated", save="first")),
        ("train", protocol.TrainJob(data="simulated", save="second")),
    ]


def test_parameters_become_the_job(provider, jobs, tmp_path):
    values = {
        "DATA": str(tmp_path),
        "SAVE": str(tmp_path / "out" / "mine"),
        "MODEL": "unet",
        "HAZARD": "flood, mud_flow",
        "EPOCHS": 3,
        "MINUTES": 2.5,
        "BATCH_SIZE": 4,
        "OPTIMIZER": "adam",
        "POSITIVE": "1,2",
        "BANDS": "red,green,blue",
        "REPLAY": 0.5,
        "SEED": 7,
        "RESUME": True,
    }
    processing.run(TRAIN, values)
    ((_, job),) = jobs
    assert (job.data, job.save, job.model) == (str(tmp_path), str(tmp_path / "out" / "mine"), "unet")
    assert job.hazard == ("flood", "mud_flow") and job.positive == (1, 2) and job.bands == ("red", "green", "blue")
    assert (job.epochs, job.minutes, job.batch_size, job.optimizer, job.replay) == (3, 2.5, 4, "adam", 0.5)
    assert job.resume and not job.overwrite and job.seed == 7 and job.units is None


def test_what_is_new_is_taught_to_a_model_beside_others(provider, jobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {"SAVE": "pairs", "MODEL": "unet", "BEFORE": True, "ALSO": "residual_unet, ./mine"}
    processing.run(TRAIN, values)
    ((_, job),) = jobs
    assert job.before and job.model == "unet" and job.also == ("residual_unet", str(tmp_path / "mine"))
    assert job.before_bands is None and job.before_units is None


def test_relative_folders_mean_the_folder_qgis_runs_in(provider, jobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chips").mkdir()
    processing.run(TRAIN, {"DATA": "chips", "SAVE": "./mine", "MODEL": "models/old", "HAZARD": "flood"})
    ((_, job),) = jobs
    expected = [str(tmp_path / name) for name in ("chips", "mine", "models/old")]
    assert [job.data, job.save, job.model] == expected


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"SAVE": " "}, "No save is given"),
        ({"DATA": "/nowhere/chips"}, "'/nowhere/chips' does not exist"),
        ({"OPTIMIZER": "luck"}, "Optimiser 'luck'"),
        ({"BATCH_SIZE": 1}, "Batch size 1"),
        ({"LEARNING_RATE": 0}, "Learning rate 0"),
        ({"BANDS": "purple"}, "'purple' is not known"),
        ({"POSITIVE": "one"}, "whole numbers"),
        ({"ARCHITECTURE": "lenet"}, "Architecture 'lenet'"),
        ({"REPLAY": 1}, "Share of replay"),
        ({"LEAVE_OUT": "tsunami"}, "'tsunami'"),
        ({"BEFORE": True}, "name it with MODEL."),
        ({"ALSO": "unet"}, "ALSO speaks of scenes from before; add BEFORE, or leave it out."),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(provider, jobs, parameters, words):
    assert words in refusal(lambda: processing.run(TRAIN, {"SAVE": "mine", **parameters}))
    assert jobs == []


def test_the_engines_refusal_is_one_sentence(provider):
    sentence = refusal(lambda: processing.run(TRAIN, {"SAVE": "refused"}))
    assert sentence == "The labels hold no hazard; check the codes."


def test_the_engines_flags_are_told_as_parameters(provider):
    sentence = refusal(lambda: processing.run(TRAIN, {"SAVE": "unfinished"}))
    assert sentence == ("It holds an unfinished run; RESUME goes on with it, OVERWRITE begins again with BATCH_SIZE 2.")


def test_commands_that_a_sentence_tells_to_type_stay_as_they_are(provider):
    from hazard_mapper.hazard_plugin.algorithms.outputs import flags_as_parameters

    fields = QgsApplication.processingRegistry().createAlgorithmById(PRETRAIN).fields()
    command = "unpack the archives first, for example: tar --zstd -xf BigEarthNet-S2.tar.zst"
    assert flags_as_parameters(command, fields) == command
    assert flags_as_parameters("use --learning-rate, then --to", fields) == "use LEARNING_RATE, then --to"


def test_outputs_tell_model_and_scores(provider, models_folder):
    results = processing.run(TRAIN, {"SAVE": "mine"})
    assert results["MODEL_NAME"] == "mine" and results["MODEL_PATH"] == str(models_folder / "mine")
    assert results["VALIDATION_SCORE"] == 0.76 and results["VALIDATION_LOSS"] == 0.24
    assert (
        results["STEPS"] == 40
        and results["ENDED"] == "finished"
        and results["SECONDS"] == 720
        and results["DEVICE_USED"] == "cpu"
    )
    assert results["WARNINGS"] == "3 chips could not be read."


def test_curves_are_lines_of_the_log_and_each_validation_is_among_them(provider):
    feedback = Listener()
    processing.run(TRAIN, {"SAVE": "mine"}, feedback=feedback)
    told = [line for line in feedback.lines if line.startswith("Step ")]
    assert "Step 0: loss 0.7, learning rate 0.002" in told
    validations = [line for line in told if "validation balanced accuracy" in line]
    assert [line.split(":")[0] for line in validations] == [f"Step {step}" for step in (0, 10, 20, 30, 40)]
    assert len(told) - len(validations) < 3, "steps without a validation are told only now and then"
    assert feedback.stages == ["Training"]


def test_a_feedback_that_knows_curves_gets_each_step(provider):
    from hazard_mapper.hazard_plugin.engine_feedback import EngineFeedback

    feedback = EngineFeedback()
    seen = []
    feedback.measured.connect(lambda step, values: seen.append((step, values)))
    processing.run(TRAIN, {"SAVE": "mine"}, feedback=feedback)
    losses = {step: values["loss"] for step, values in seen if "loss" in values}
    assert losses == {step: pytest.approx(0.7 / (1 + step / 10)) for step in range(0, 41, 5)}


def test_metrics_that_are_no_numbers_do_no_harm():
    from hazard_mapper.hazard_plugin.engine_feedback import Relay

    feedback = Listener()
    relay = Relay(feedback)
    for values in (None, [], {"loss": None}, {"loss": "much"}, {"loss": True}):
        relay.pass_on({"type": "metrics", "id": "x", "step": None, "values": values})
    assert feedback.lines == []
    relay.pass_on({"type": "metrics", "id": "x", "step": 3, "values": {"loss": 1, "other_thing": None}})
    assert feedback.lines == ["Step 3: loss 1"]


def start_task(algorithm_id, parameters, feedback):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
    context = QgsProcessingContext()
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    outcome = []
    task.executed.connect(lambda ok, results: outcome.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    return outcome, (algorithm, context, task)


def test_cancel_ends_a_training_and_says_how_to_go_on(provider, project):
    feedback = Listener()
    outcome, _kept = start_task(TRAIN, {"SAVE": "slowly"}, feedback)
    assert wait_until(lambda: feedback.progress() > 0)
    feedback.cancel()
    assert wait_until(lambda: outcome, 5)
    assert outcome[0][1] == {} and "RESUME" in feedback.lines[-1]


def test_scenes_are_segmented_while_a_training_runs(provider, project, scene, tmp_path):
    feedback = Listener()
    outcome, _kept = start_task(TRAIN, {"SAVE": "slowly"}, feedback)
    assert wait_until(lambda: feedback.progress() > 0)
    values = {"INPUT": scene, "HAZARD": "flood", "OUTPUT": str(tmp_path / "mask.tif")}
    began = time.monotonic()
    processing.run("hazardmapper:segmenthazard", values)
    assert os.path.exists(values["OUTPUT"]) and time.monotonic() - began < 3 and not outcome
    feedback.cancel()
    assert wait_until(lambda: outcome, 5)


def test_a_waiting_run_leaves_its_thread_to_qgis(provider, project):
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    feedback = Listener()
    ran = []
    try:
        pool.setMaxThreadCount(1)
        outcome, _kept = start_task(TRAIN, {"SAVE": "slowly"}, feedback)
        assert wait_until(lambda: feedback.progress() > 0)
        other = QgsTask.fromFunction("other", lambda task: ran.append(threading.current_thread()))
        QgsApplication.taskManager().addTask(other)
        assert wait_until(lambda: ran, 3), "a task waits for a run that only waits itself"
        assert not outcome
    finally:
        feedback.cancel()
        assert wait_until(lambda: outcome, 5)
        pool.setMaxThreadCount(before)


def test_evaluation_gives_numbers_and_leaves_what_is_not_defined_empty(provider, project, tmp_path):
    mask = write_scene(tmp_path / "mask.tif", bands=1)
    feedback = Listener()
    results = processing.run(EVALUATE, {"MASK": mask, "REFERENCE": mask, "POSITIVE": "1"}, feedback=feedback)
    assert results["IOU"] == 1.0 and results["TP"] == 96 * 80 and results["NOT_ASSESSED"] == 0
    assert results["BALANCED_ACCURACY"] is None
    told = "\n".join(feedback.lines)
    assert "Balanced accuracy: not defined" in told and "F1: 1.000" in told


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"POSITIVE": "x"}, "whole numbers"),
        ({"POSITIVE": "1", "IGNORE": "1"}, "both positive and ignored"),
        ({"MASK": "/nowhere/mask.tif"}, "/nowhere/mask.tif"),
    ],
)
def test_evaluation_refuses_in_one_sentence(provider, project, tmp_path, parameters, words):
    mask = write_scene(tmp_path / "mask.tif", bands=1)
    assert words in refusal(lambda: processing.run(EVALUATE, {"MASK": mask, "REFERENCE": mask, **parameters}))
