"""The engine's set-up: whatever happens, the engine in place works or is not there, and what failed is said."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from hazard_mapper.engine.protocol import Cancelled
from hazard_mapper.hazard_plugin import engine_setup
from hazard_mapper.hazard_plugin.engine_setup import EngineSetup
from hazard_mapper.hazard_plugin.setup_failures import SetupFailed
from hazard_mapper.hazard_plugin.setup_plan import Plan
from qgis.PyQt.QtCore import QLockFile
from setup_toys import PROOF, PYTHON, begin, copies_of, offline_plan, small, write_bundle, write_wheel
from support import PLUGINS, ROOT, wait_until

FAILING = ("-c", "import json; print(json.dumps({'kind': 'gdal', 'message': 'no osgeo'})); raise SystemExit(1)")
FAILS_IN_PLACE = (
    "-c",
    "import json, sys; print(json.dumps({'ok': 'engine.new' in sys.prefix, 'kind': 'numbers', 'message': 'moved'}))",
)


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels") / "newer"
    write_wheel(folder, "2.0")
    return write_bundle(folder)


@pytest.fixture
def setup(setup_root):
    return EngineSetup(str(setup_root), proof=PROOF)


@pytest.fixture(scope="module")
def set_up_once(engine_environment, tmp_path_factory):
    """A folder with version 1.0 in place."""
    folder = tmp_path_factory.mktemp("set up")
    write_wheel(folder / "older")
    plan = offline_plan(folder / "root", write_bundle(folder / "older"))
    with copies_of(engine_environment):
        EngineSetup(plan.root, proof=PROOF).install(plan, silent, never)
    return folder / "root"


@pytest.fixture(scope="module")
def begun_once(set_up_once, engine_environment, newer, tmp_path_factory):
    """A folder with version 1.0 in place, in which the set-up of 2.0 was cancelled right before it is proven."""
    root = tmp_path_factory.mktemp("begun") / "root"
    shutil.copytree(set_up_once, root, symlinks=True)
    with copies_of(engine_environment):
        begin(offline_plan(root, newer, ["tiny_engine==2.0"]))
    return root


@pytest.fixture
def in_place(quick_environment, set_up_once, setup_root):
    """Version 1.0 is set up already."""
    shutil.copytree(set_up_once, setup_root, symlinks=True)


@pytest.fixture
def begun(quick_environment, begun_once, setup_root):
    """Version 1.0 is set up already, and 2.0 lies beside it."""
    shutil.copytree(begun_once, setup_root, symlinks=True)


def never():
    return False


def silent(step, share, text):
    pass


def version_in_place(setup):
    code = "import tiny_engine; print(tiny_engine.VERSION)"
    return subprocess.run([setup.python, "-c", code], capture_output=True, text=True).stdout.strip()


def written(setup_root):
    return json.loads((setup_root / "engine.json").read_text())


def test_it_is_installed_into_an_environment_of_its_own(setup, setup_root, tiny_wheels):
    steps = []
    proof = setup.install(
        offline_plan(setup_root, tiny_wheels), lambda step, share, text: steps.append((step, share)), never
    )
    assert proof["ok"] and proof["path"].startswith(str(setup_root / "engine"))
    shares = [share for _, share in steps if share >= 0]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert {path.name for path in setup_root.iterdir()} == {"engine", "engine.json"}
    state = written(setup_root)
    assert state["state"] == "ready" and state["installed"]["build"] == "cpu"
    listed = subprocess.run([setup.python, "-m", "pip", "freeze", "--local", "--all"], capture_output=True, text=True)
    lines = sorted(line for line in listed.stdout.splitlines() if "==" in line)
    assert "tiny_engine==1.0" in lines and not any(line.startswith("numpy") for line in lines)
    assert state["installed"]["sha256"] == hashlib.sha256("\n".join(lines).encode()).hexdigest()
    shared = subprocess.run(
        [setup.python, "-c", "import osgeo.gdal, numpy; print(numpy.__file__)"], capture_output=True
    )
    assert b"/usr/lib/python3" in shared.stdout
    assert subprocess.run([PYTHON, "-c", "import tiny_engine"], capture_output=True).returncode != 0


def test_another_version_takes_the_place_of_the_old_one(in_place, setup, setup_root, newer):
    assert version_in_place(setup) == "1.0"
    setup.install(offline_plan(setup_root, newer, ["tiny_engine==2.0"]), silent, never)
    assert version_in_place(setup) == "2.0"
    assert {path.name for path in setup_root.iterdir()} == {"engine", "engine.json"}


def test_it_switches_between_processor_and_gpu(in_place, setup, setup_root, tiny_wheels, tmp_path):
    assert written(setup_root)["installed"]["build"] == "cpu"
    other = tmp_path / "other"
    write_wheel(other)
    gpu = offline_plan(setup_root, write_bundle(other, "cu130"), build="cu130")
    assert setup.install(gpu, silent, never)["device"] == "cuda"
    assert written(setup_root)["installed"]["build"] == "cu130"
    assert setup.install(offline_plan(setup_root, tiny_wheels), silent, never)["device"] == "cpu"
    assert written(setup_root)["installed"]["build"] == "cpu"


def test_what_fails_its_proof_replaces_nothing(in_place, setup, setup_root, newer):
    before = written(setup_root)["installed"]
    failing = EngineSetup(str(setup_root), proof=FAILING)
    with pytest.raises(SetupFailed, match="no working GDAL") as caught:
        failing.install(offline_plan(setup_root, newer, ["tiny_engine==2.0"]), silent, never)
    assert caught.value.kind == "gdal" and version_in_place(setup) == "1.0"
    assert written(setup_root)["installed"] == before and written(setup_root)["failure"]["step"] == "prove"


def test_what_fails_after_the_move_is_moved_back(begun, setup, setup_root, newer):
    with pytest.raises(SetupFailed) as caught:
        failing = EngineSetup(str(setup_root), proof=FAILS_IN_PLACE)
        failing.install(offline_plan(setup_root, newer, ["tiny_engine==2.0"]), silent, never)
    assert caught.value.kind == "numbers" and version_in_place(setup) == "1.0"
    assert not (setup_root / "engine.old").exists()


def test_a_cancelled_set_up_goes_on_where_it_stopped(quick_environment, setup, setup_root, tiny_wheels):
    at = []
    stop = lambda: bool(at) and at[-1] == "prove"  # noqa: E731
    with pytest.raises(Cancelled):
        setup.install(offline_plan(setup_root, tiny_wheels), lambda step, share, text: at.append(step), stop)
    assert written(setup_root)["state"] == "cancelled" and not (setup_root / "engine").exists()
    (setup_root / "engine.new" / "mark").touch()
    at.clear()
    said = []
    setup.install(offline_plan(setup_root, tiny_wheels), lambda step, share, text: said.append(text), never)
    assert (setup_root / "engine" / "mark").exists() and not any("Processing" in line for line in said)


def test_what_failed_its_proof_is_not_gone_on_with(quick_environment, setup, setup_root, tiny_wheels):
    with pytest.raises(SetupFailed):
        EngineSetup(str(setup_root), proof=FAILING).install(offline_plan(setup_root, tiny_wheels), silent, never)
    (setup_root / "engine.new" / "mark").touch()
    setup.install(offline_plan(setup_root, tiny_wheels), silent, never)
    assert version_in_place(setup) == "1.0" and not (setup_root / "engine" / "mark").exists()


def test_another_plan_starts_anew(quick_environment, setup, setup_root, tiny_wheels, newer):
    at = []
    with pytest.raises(Cancelled):
        stop = lambda: bool(at) and at[-1] == "prove"  # noqa: E731
        setup.install(offline_plan(setup_root, tiny_wheels), lambda step, share, text: at.append(step), stop)
    (setup_root / "engine.new" / "mark").touch()
    setup.install(offline_plan(setup_root, newer, ["tiny_engine==2.0"]), silent, never)
    assert version_in_place(setup) == "2.0" and not (setup_root / "engine" / "mark").exists()


def state_of(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().split()[2]
    except OSError:
        return ""


def test_cancel_ends_a_command_and_its_children(tmp_path):
    from hazard_mapper.hazard_plugin.setup_commands import run

    code = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '300']); print(p.pid, flush=True); p.wait()"
    heard = []
    with pytest.raises(Cancelled):
        run([PYTHON, "-c", code], folder=str(tmp_path), is_cancelled=lambda: bool(heard), on_line=heard.append)
    assert wait_until(lambda: state_of(heard[0]) in ("", "Z"), 5)


OUTLIVED = """
import sys
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
from hazard_mapper.hazard_plugin.setup_commands import run
run([sys.executable, "-m", "sleeper"], folder=sys.argv[2], on_line=lambda line: print(line, flush=True))
"""


def test_no_command_outlives_a_qgis_that_was_killed(tmp_path):
    (tmp_path / "sleeper.py").write_text(
        "import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '300'])\n"
        "print(os.getpid(), child.pid, flush=True)\n"
        "child.wait()\n"
    )
    command = [sys.executable, "-c", OUTLIVED, str(PLUGINS), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as qgis:
        pids = qgis.stdout.readline().split()
        assert len(pids) == 2
        qgis.kill()
    assert wait_until(lambda: all(state_of(pid) in ("", "Z") for pid in pids), 10)


def test_the_children_of_a_command_find_nothing_to_read(tmp_path):
    from hazard_mapper.hazard_plugin.setup_commands import run

    (tmp_path / "parent.py").write_text(
        "import subprocess, sys\n"
        "child = 'import os; print(repr(os.read(0, 1)))'\n"
        "subprocess.run([sys.executable, '-c', child], timeout=20, check=True)\n"
    )
    ended = run([PYTHON, "-m", "parent"], folder=str(tmp_path))
    assert (ended.code, ended.lines) == (0, ["b''"])


KILLED = """
import os, signal, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from setup_toys import PROOF, offline_plan
from hazard_mapper.hazard_plugin import engine_setup
from hazard_mapper.hazard_plugin.engine_setup import EngineSetup
rename, count = EngineSetup._rename, [0]
def die(self, source, target):
    if count[0] == int(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)
    count[0] += 1
    rename(self, source, target)
def die_after(step):
    def stop(self, plan, state):
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(EngineSetup, step, stop)
EngineSetup._rename = die
if int(sys.argv[5]) == 2:
    die_after("_confirm")
if int(sys.argv[5]) == 3:
    die_after("_tidy")
plan = offline_plan(sys.argv[3], sys.argv[4], ["tiny_engine==2.0"])
EngineSetup(sys.argv[3], proof=PROOF).install(plan, lambda *_: None, lambda: False)
"""


@pytest.mark.parametrize("moment, holds", [(0, "1.0"), (1, "1.0"), (2, "1.0"), (3, "2.0")])
def test_killed_during_the_swap_the_next_start_finds_a_working_engine(begun, setup, setup_root, newer, moment, holds):
    command = [sys.executable, "-c", KILLED, str(PLUGINS), str(ROOT / "tests" / "plugin"), str(setup_root), str(newer)]
    ended = subprocess.run([*command, str(moment)], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    setup.recover()
    assert version_in_place(setup) == holds
    setup.install(offline_plan(setup_root, newer, ["tiny_engine==2.0"]), silent, never)
    assert version_in_place(setup) == "2.0" and {p.name for p in setup_root.iterdir()} == {"engine", "engine.json"}


def test_a_second_qgis_is_told(setup, setup_root, tiny_wheels):
    setup_root.mkdir(parents=True)
    lock = QLockFile(str(setup_root / "engine.lock"))
    assert lock.tryLock(0)
    with pytest.raises(SetupFailed, match=f"Another QGIS .process {os.getpid()} ") as caught:
        setup.install(offline_plan(setup_root, tiny_wheels), silent, never)
    assert caught.value.kind == "locked" and not (setup_root / "engine.json").exists()
    lock.unlock()


def test_the_lock_of_a_killed_qgis_holds_nobody_up(quick_environment, setup, setup_root, tiny_wheels):
    setup_root.mkdir(parents=True)
    code = (
        "import os, sys; from qgis.PyQt.QtCore import QLockFile; lock = QLockFile(sys.argv[1]); "
        "print(lock.tryLock(0), flush=True); os.kill(os.getpid(), 9)"
    )
    said = subprocess.run([PYTHON, "-c", code, str(setup_root / "engine.lock")], capture_output=True, text=True).stdout
    assert said == "True\n" and (setup_root / "engine.lock").exists()
    setup.install(offline_plan(setup_root, tiny_wheels), silent, never)
    assert version_in_place(setup) == "1.0"


def test_an_engine_at_work_is_not_moved_and_the_set_up_goes_on_later(quick_environment, setup_root, tiny_wheels, setup):
    def at_work():
        raise SetupFailed("busy", folder=str(setup_root))

    with pytest.raises(SetupFailed, match="at work"):
        EngineSetup(str(setup_root), PROOF, at_work).install(offline_plan(setup_root, tiny_wheels), silent, never)
    (setup_root / "engine.new" / "mark").touch()
    setup.install(offline_plan(setup_root, tiny_wheels), silent, never)
    assert (setup_root / "engine" / "mark").exists()


def test_it_is_removed_whole(in_place, setup, setup_root):
    assert version_in_place(setup) == "1.0"
    setup.remove(silent, never)
    assert list(setup_root.iterdir()) == [] and setup.state()["state"] == "empty"


def test_what_was_changed_since_is_noticed(in_place, setup, newer):
    assert setup.changed() is None
    command = [setup.python, "-m", "pip", "install", "-q", "--no-index", "--find-links", str(newer), "tiny_engine==2.0"]
    subprocess.run(command, check=True)
    assert setup.changed() is not None


def test_an_unreadable_state_is_no_state(setup, setup_root):
    setup_root.mkdir(parents=True)
    for text in ("", "{", "[]", '{"version": 99}', '{"version": 1}', '{"version": 1, "done": 3}'):
        (setup_root / "engine.json").write_text(text)
        assert setup.state()["state"] == "empty"


def test_another_python_is_proven_before_it_is_used(engine_environment, setup):
    with pytest.raises(SetupFailed, match="failed its proof"):
        setup.prove(str(engine_environment / "bin" / "python"), "auto", silent, never)
    with pytest.raises(SetupFailed) as caught:
        setup.prove("/nowhere/python", "auto", silent, never)
    assert caught.value.kind == "python_broken"


def test_progress_is_shared_out_wholly():
    for shares in (engine_setup.SHARES, engine_setup.ONE_INDEX):
        assert 0.98 < sum(shares.values()) <= 1.0


def write_index(folder, wheel):
    """A package index of one package, in files."""
    place = folder / wheel.name.split("-")[0].replace("_", "-")
    place.mkdir(parents=True)
    shutil.copy(wheel, place)
    (place / "index.html").write_text(f"<a href='{wheel.name}'>{wheel.name}</a>")
    return folder.as_uri()


@pytest.mark.usefixtures("quick_environment")
def test_pytorch_comes_from_its_own_index_and_the_rest_from_pips(setup, setup_root, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    own = write_wheel(tmp_path / "own", "2.13.0+cpu", "torch")
    other = write_wheel(tmp_path / "other", "2.13.0", "torch")
    tiny = write_wheel(tmp_path / "tiny", requires=["torch"])
    configuration = tmp_path / "pip.conf"
    index = write_index(tmp_path / "pips", tiny)
    write_index(tmp_path / "pips", other)
    configuration.write_text(f"[global]\nindex-url = {index}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    requirements = ("torch==2.13.0", "tiny_engine==1.0")
    plan = Plan(str(setup_root), small("cpu"), requirements, PYTHON, write_index(tmp_path / "pytorchs", own))
    setup.install(plan, silent, never)
    freeze = written(setup_root)["installed"]["freeze"]
    assert "torch==2.13.0+cpu" in freeze and "tiny_engine==1.0" in freeze


@pytest.mark.usefixtures("quick_environment")
def test_what_only_makes_the_engine_faster_is_installed_beside_it(setup, setup_root, tmp_path):
    folder = tmp_path / "with more"
    write_wheel(folder)
    write_wheel(folder, name="tiny_faster")
    write_bundle(folder)
    plan = replace(offline_plan(setup_root, folder), optional=("tiny_faster>=1.0",))
    setup.install(plan, silent, never)
    assert any(line.startswith("tiny_faster==1.0") for line in written(setup_root)["installed"]["freeze"])


@pytest.mark.usefixtures("quick_environment")
def test_a_set_up_does_not_fail_for_what_only_makes_it_faster(setup, setup_root, tiny_wheels):
    plan = replace(offline_plan(setup_root, tiny_wheels), optional=("tiny_faster>=1.0",))
    assert setup.install(plan, silent, never)["ok"]
    freeze = written(setup_root)["installed"]["freeze"]
    assert version_in_place(setup) == "1.0" and not any("faster" in line for line in freeze)
