"""The client survives whatever a worker does, and ends every job with exactly one outcome."""

import os
import signal
import threading
import time

import pytest
from qgis.core import QgsApplication, QgsProcessingFeedback
from support import hidden_files, settle, wait_until


@pytest.fixture
def protocol():
    from hazard_mapper.engine import protocol

    return protocol


@pytest.fixture
def run_segment(client, protocol, scene, tmp_path):
    def run(hazard, feedback=None, name="mask.tif"):
        job = protocol.SegmentJob(raster=scene, hazard=hazard, mask=str(tmp_path / name))
        return client.run("segment", job, feedback)

    return run


def failure(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_a_job_returns_its_result(run_segment, tmp_path):
    assert run_segment("flood")["hazard_area_m2"] == 13_400_000.0
    assert (tmp_path / "mask.tif").exists()


class Listener(QgsProcessingFeedback):
    """Keeps the stages it was told."""

    def __init__(self):
        super().__init__(False)
        self.stages = []

    def setProgressText(self, text):
        self.stages.append(text)


def test_progress_reaches_the_feedback(run_segment):
    feedback = Listener()
    seen = []
    feedback.progressChanged.connect(seen.append)
    run_segment("slow", feedback)
    assert seen == sorted(seen) and seen[-1] == pytest.approx(97.5)
    assert feedback.stages == ["Predicting"] and "pretended" in feedback.textLog()


@pytest.mark.parametrize("hazard", ["crash", "killed", "garbage"])
def test_a_dying_worker_is_one_failure_and_the_next_job_works(run_segment, tmp_path, hazard):
    from hazard_mapper.hazard_plugin.engine_client import EngineFailed

    message = failure(lambda: run_segment(hazard), EngineFailed)
    assert message.count("engine") >= 1 and "\n" not in message
    assert hidden_files(tmp_path) == []
    assert run_segment("flood")["hazard"] == "flood"


def test_last_words_of_a_crashed_worker_are_in_the_log(run_segment):
    from hazard_mapper.hazard_plugin.engine_client import EngineFailed

    words = []
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: words.append((tag, text)))
    failure(lambda: run_segment("crash"), EngineFailed)
    assert wait_until(lambda: any("pretended driver" in text for tag, text in words if tag == "Hazard Mapper"))


def test_a_refused_request_is_bad_input_with_the_engines_sentence(run_segment, protocol):
    message = failure(lambda: run_segment("bad"), protocol.BadInput)
    assert message == "The scene has no band for this; choose another."


@pytest.mark.parametrize("hazard", ["slow", "hang"])
def test_cancel_ends_a_run_within_two_seconds_and_leaves_nothing(run_segment, protocol, tmp_path, hazard):
    run_segment("flood", name="warm.tif")
    feedback = QgsProcessingFeedback(False)
    threading.Timer(0.3, feedback.cancel).start()
    began = time.monotonic()
    failure(lambda: run_segment(hazard, feedback), protocol.Cancelled)
    assert time.monotonic() - began < 3.5  # that is 2 s and what a crowded machine takes to notice
    assert hidden_files(tmp_path) == [] and not (tmp_path / "mask.tif").exists()
    assert run_segment("flood")["hazard"] == "flood"


def test_a_file_that_was_being_replaced_when_the_engine_died_gets_its_name_back(run_segment, tmp_path):
    from hazard_mapper.hazard_plugin.engine_client import EngineFailed

    (tmp_path / "mask.tif").write_text("yesterday's mask")
    failure(lambda: run_segment("killed_renaming"), EngineFailed)
    assert (tmp_path / "mask.tif").read_text() == "yesterday's mask" and hidden_files(tmp_path) == []


def test_two_jobs_queue(run_segment):
    results = {}
    threads = [
        threading.Thread(target=lambda n=n: results.update({n: run_segment("flood", name=n)}))
        for n in ("a.tif", "b.tif")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert {os.path.basename(r["mask"]) for r in results.values()} == {"a.tif", "b.tif"}


def test_a_waiting_job_survives_the_crash_of_the_one_before(run_segment):
    from hazard_mapper.hazard_plugin.engine_client import EngineFailed

    outcomes = {}

    def run(hazard, name):
        try:
            outcomes[hazard] = run_segment(hazard, name=name)
        except EngineFailed as error:
            outcomes[hazard] = error

    first = threading.Thread(target=run, args=("crash", "a.tif"))
    second = threading.Thread(target=run, args=("flood", "b.tif"))
    first.start()
    second.start()
    first.join(20)
    second.join(20)
    assert isinstance(outcomes["crash"], EngineFailed) and outcomes["flood"]["hazard"] == "flood"


def test_cancelling_a_waiting_job_does_not_disturb_the_running_one(run_segment, protocol):
    outcomes = {}
    running = threading.Thread(target=lambda: outcomes.update(first=run_segment("slow", name="a.tif")))
    running.start()
    time.sleep(0.5)
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    failure(lambda: run_segment("flood", feedback, name="b.tif"), protocol.Cancelled)
    running.join(20)
    assert outcomes["first"]["hazard"] == "slow"


def test_quick_jobs_are_answered_beside_a_running_one(client, run_segment, protocol):
    running = threading.Thread(target=lambda: run_segment("slow"))
    running.start()
    time.sleep(0.5)
    answers = []
    client.submit("models", protocol.ModelsJob(), lambda result, error: answers.append((result, error)))
    assert wait_until(lambda: answers, 5)
    assert running.is_alive() and answers[0][0][0]["name"] == "unet"
    running.join(20)


def cancelled_question(client, protocol, tmp_path):
    """Cancel a question that the engine is stuck at, and return how long that took."""
    feedback = QgsProcessingFeedback(False)
    threading.Timer(0.3, feedback.cancel).start()
    began = time.monotonic()
    question = protocol.ProvenanceJob(file=str(tmp_path / "on_a_share_that_does_not_answer.tif"))
    failure(lambda: client.run("provenance", question, feedback), protocol.Cancelled)
    return time.monotonic() - began


def test_cancelling_a_question_that_hangs_does_not_disturb_the_running_job(client, run_segment, protocol, tmp_path):
    outcomes = {}
    running = threading.Thread(target=lambda: outcomes.update(first=run_segment("slow")))
    running.start()
    time.sleep(0.5)
    assert cancelled_question(client, protocol, tmp_path) < 0.9
    assert client.run("models", protocol.ModelsJob())[0]["name"] == "unet"
    running.join(20)
    assert outcomes["first"]["hazard"] == "slow"


def test_a_question_that_hangs_holds_up_no_other_once_it_is_cancelled(client, run_segment, protocol, tmp_path):
    run_segment("flood")
    cancelled_question(client, protocol, tmp_path)
    assert client.run("models", protocol.ModelsJob())[0]["name"] == "unet"


def test_callbacks_run_on_the_main_thread(client, protocol):
    threads = []
    client.submit("devices", protocol.DevicesJob(), lambda *_: threads.append(threading.current_thread()))
    assert wait_until(lambda: threads)
    assert threads == [threading.main_thread()]


def test_another_protocol_version_is_said_plainly(run_segment, monkeypatch):
    from hazard_mapper.hazard_plugin.engine_client import EngineFailed

    monkeypatch.setenv("FAKE_PROTOCOL", "99")
    message = failure(lambda: run_segment("flood"), EngineFailed)
    assert "99" in message and "same version" in message


def test_an_engine_that_dies_at_start_is_said_plainly(run_segment, monkeypatch):
    from hazard_mapper.hazard_plugin.engine_client import EngineFailed

    monkeypatch.setenv("FAKE_START", "dies")
    assert "could not start" in failure(lambda: run_segment("flood"), EngineFailed)


def test_an_engine_that_never_starts_is_given_up(scene, protocol, tmp_path, monkeypatch):
    import sys

    import support
    from hazard_mapper.hazard_plugin.engine_client import EngineClient, EngineFailed
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    monkeypatch.setenv("FAKE_START", "hangs")
    client = EngineClient(lambda: EngineLocation(sys.executable, str(support.FAKE)), startup_timeout_s=1)
    job = protocol.SegmentJob(raster=scene, hazard="flood", mask=str(tmp_path / "mask.tif"))
    assert "did not start" in failure(lambda: client.run("segment", job), EngineFailed)
    client.shutdown()


def test_a_program_that_cannot_be_started_is_named(scene, protocol, tmp_path):
    from hazard_mapper.hazard_plugin.engine_client import EngineClient, EngineFailed
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    client = EngineClient(lambda: EngineLocation("/nowhere/python", str(tmp_path)))
    assert "/nowhere/python" in failure(lambda: client.run("models", protocol.ModelsJob()), EngineFailed)
    client.shutdown()


def test_no_engine_is_one_sentence(monkeypatch, tmp_path):
    from hazard_mapper.hazard_plugin import engine_location

    monkeypatch.delenv("HAZARD_ENGINE_PYTHON", raising=False)
    monkeypatch.setattr(engine_location, "PACKAGE_FOLDER", str(tmp_path))
    message = failure(engine_location.find_engine, engine_location.EngineMissing)
    assert "HAZARD_ENGINE_PYTHON" in message and "Advanced" in message


def test_a_named_engine_that_does_not_exist_is_said(monkeypatch):
    from hazard_mapper.hazard_plugin import engine_location

    monkeypatch.setenv("HAZARD_ENGINE_PYTHON", "/nowhere/python")
    assert "/nowhere/python" in failure(engine_location.find_engine, engine_location.EngineMissing)


def test_shutdown_ends_the_worker_and_a_running_job(client, run_segment, protocol):
    pids = []
    client.hello_received.connect(lambda hello: pids.append(hello["pid"]))
    outcomes = []

    def run():
        try:
            run_segment("hang")
        except protocol.Cancelled as error:
            outcomes.append(error)

    running = threading.Thread(target=run)
    running.start()
    assert wait_until(lambda: pids)
    time.sleep(0.3)
    client.shutdown()
    running.join(5)
    assert outcomes
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_job_that_is_posted_while_qgis_closes_does_not_start_the_engine_again(protocol):
    import sys

    import support
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    hellos = []

    def locate():
        client.shutdown()
        return EngineLocation(sys.executable, str(support.FAKE))

    client = EngineClient(locate)
    client.hello_received.connect(hellos.append)
    try:
        failure(lambda: client.run("models", protocol.ModelsJob()), protocol.Cancelled)
        assert not client._thread.isRunning()
    finally:
        client.shutdown()
    assert not hellos


class MovedClock:
    """The time module with a clock that can be moved on."""

    def __init__(self):
        self.slept = 0.0

    def monotonic(self):
        return time.monotonic() + self.slept


def test_a_computer_that_slept_does_not_end_the_run_on_waking(run_segment, protocol, monkeypatch):
    from hazard_mapper.hazard_plugin import awake_clock

    clock = MovedClock()
    monkeypatch.setattr(awake_clock, "time", clock)
    run_segment("flood", name="warm.tif")
    feedback = QgsProcessingFeedback(False)
    threading.Timer(0.4, lambda: setattr(clock, "slept", 3600.0)).start()
    threading.Timer(0.8, feedback.cancel).start()
    failure(lambda: run_segment("hang", feedback), protocol.Cancelled)


def test_silence_counts_from_when_something_was_asked(client, run_segment, protocol, monkeypatch):
    from hazard_mapper.hazard_plugin import awake_clock

    pids = []
    client.hello_received.connect(lambda hello: pids.append(hello["pid"]))
    clock = MovedClock()
    monkeypatch.setattr(awake_clock, "time", clock)
    run_segment("flood")
    assert wait_until(lambda: pids)
    for _ in range(3):
        clock.slept += 4.0
        time.sleep(0.3)
    os.kill(pids[0], signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (pids[0], signal.SIGCONT)).start()
    client.run("models", protocol.ModelsJob())
    settle()
    assert len(pids) == 1


def test_only_time_in_which_nobody_could_look_at_the_clock_is_sleep(monkeypatch):
    from hazard_mapper.hazard_plugin import awake_clock

    moved = MovedClock()
    monkeypatch.setattr(awake_clock, "time", moved)
    clock = awake_clock.AwakeClock()
    began = clock.now()
    moved.slept += 3600.0
    assert clock.now() - began < 1
    for _ in range(10):
        moved.slept += 0.5
        clock.now()
    assert 5 <= clock.now() - began < 6


def test_the_engine_of_a_changed_setting_is_started_once_nothing_is_pending(scene, protocol, tmp_path):
    import sys

    import support
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    folders = [tmp_path / "old", tmp_path / "new"]
    for folder in folders:
        (folder / folder.name).mkdir(parents=True)
        (folder / folder.name / "card.json").write_text(f'{{"name": "{folder.name}"}}')
    wanted = [str(folders[0])]

    def locate():
        return EngineLocation(sys.executable, str(support.FAKE), (("HAZARD_MODELS", wanted[0]),))

    client = EngineClient(locate)
    job = protocol.SegmentJob(raster=scene, hazard="slow", mask=str(tmp_path / "mask.tif"))
    running = threading.Thread(target=lambda: client.run("segment", job))
    try:
        running.start()
        time.sleep(0.5)
        wanted[0] = str(folders[1])
        assert client.run("models", protocol.ModelsJob())[-1]["name"] == "old"
        running.join(20)
        assert client.run("models", protocol.ModelsJob())[-1]["name"] == "new"
    finally:
        client.shutdown()


def test_the_workers_environment_has_no_python_paths_of_qgis():
    from hazard_mapper.hazard_plugin.engine_worker import clean_environment
    from qgis.PyQt.QtCore import QProcessEnvironment

    inherited = QProcessEnvironment()
    for name in ("PYTHONPATH", "PYTHONHOME", "GDAL_DATA", "PROJ_LIB"):
        inherited.insert(name, "/somewhere")
    cleaned = clean_environment(inherited)
    assert not cleaned.contains("PYTHONPATH") and not cleaned.contains("PYTHONHOME")
    assert cleaned.value("GDAL_DATA") == "/somewhere" and cleaned.value("PROJ_LIB") == "/somewhere"
