"""What the set-up plans: the build for a computer, its size and place, and what a report gives away."""

import getpass
import os
import platform
import re

import pytest
from hazard_mapper.hazard_plugin import engine_location, setup_report
from hazard_mapper.hazard_plugin.engine_location import EngineMissing, find_engine
from hazard_mapper.hazard_plugin.setup_plan import (
    Gpu,
    Plan,
    build_named,
    choose_build,
    name_of,
    parse_gpus,
    pytorch_index,
    qgis_python,
    read_builds,
    read_requirements,
)

# Card, driver, compute capability, system, machine; and the build that PyTorch 2.13's and NVIDIA's tables give for it.
TABLE = [
    ("RTX 5090", "580.65.06", "12.0", "linux", "x86_64", "cu130"),
    ("RTX 5090", "575.51", "12.0", "linux", "x86_64", "cpu"),
    ("H100", "580.95.05", "9.0", "linux", "x86_64", "cu130"),
    ("H100", "550.54.15", "9.0", "linux", "x86_64", "cu126"),
    ("RTX 4090", "581.29", "8.9", "windows", "x86_64", "cu130"),
    ("RTX 4090", "528.33", "8.9", "windows", "x86_64", "cu126"),
    ("RTX 4090", "528.02", "8.9", "windows", "x86_64", "cpu"),
    ("GTX 1080", "580.65.06", "6.1", "linux", "x86_64", "cu126"),
    ("V100", "580.65.06", "7.0", "linux", "x86_64", "cu126"),
    ("Tesla K80", "470.82", "3.7", "linux", "x86_64", "cpu"),
    ("GTX 970", "525.60.13", "5.2", "linux", "x86_64", "cu126"),
    ("GTX 970", "525.60.11", "5.2", "linux", "x86_64", "cpu"),
    ("GH200", "580.65.06", "9.0", "linux", "aarch64", "cu130"),
    ("Orin", "580.65.06", "8.7", "linux", "aarch64", "cu130"),
    ("T4G", "580.65.06", "7.5", "linux", "aarch64", "cpu"),
]


@pytest.mark.parametrize("name, driver, capability, system, machine, expected", TABLE)
def test_driver_and_compute_capability_decide_the_build(name, driver, capability, system, machine, expected):
    choice = choose_build([Gpu(name, driver, capability)], system, machine)
    assert choice.build.name == expected and choice.build in choice.possible and choice.possible[-1].name == "cpu"
    assert name in choice.sentence and choice.sentence.endswith(".")


def test_the_reason_names_what_would_help():
    old_driver = choose_build([Gpu("RTX 5090", "575.51", "12.0")], "linux", "x86_64").sentence
    assert "575.51" in old_driver and "update it to 580" in old_driver
    old_card = choose_build([Gpu("Tesla K80", "580.65", "3.7")], "linux", "x86_64").sentence
    assert "3.7" in old_card and "update" not in old_card
    no_answer = choose_build([Gpu("Quadro", "460.32.03", "")], "linux", "x86_64").sentence
    assert "460.32.03" in no_answer and "525.60.13" in no_answer


def test_the_best_of_several_cards_is_taken():
    cards = [Gpu("GT 710", "580.65.06", "3.5"), Gpu("RTX 3060", "580.65.06", "8.6"), Gpu("P400", "580.65.06", "6.1")]
    choice = choose_build(cards, "linux", "x86_64")
    assert choice.build.name == "cu130" and "RTX 3060" in choice.sentence


def test_macs_and_computers_without_a_driver():
    assert choose_build([], "macos", "aarch64").build.name == "mps"
    assert choose_build([], "macos", "x86_64").build.name == "cpu"
    assert choose_build([], "linux", "x86_64").build.name == "cpu"
    assert choose_build([], "windows", "x86_64").build.name == "cpu"


def test_what_the_driver_says_is_read():
    assert parse_gpus("NVIDIA GeForce RTX 4090, 550.54.15, 8.9\nTesla T4, 550.54.15, 7.5\n") == [
        Gpu("NVIDIA GeForce RTX 4090", "550.54.15", "8.9"),
        Gpu("Tesla T4", "550.54.15", "7.5"),
    ]
    assert parse_gpus("Quadro K620, 460.32.03\n") == [Gpu("Quadro K620", "460.32.03", "")]
    for error in (
        'Field "compute_cap" is not a valid field to query.',
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver, and so on, 1",
        "No devices were found",
        "",
    ):
        assert parse_gpus(error) == []


def test_builds_come_from_pytorchs_own_index_and_no_other_host():
    for build in read_builds():
        index = pytorch_index(build)
        assert index is None or re.fullmatch(r"https://download\.pytorch\.org/whl/(cpu|cu\d{3})", index)
        assert build.download_mb > 100 and build.disk_mb > build.download_mb


def test_the_requirements_are_the_engines():
    names = [name_of(line) for line in read_requirements()]
    assert names == ["torch", "torchvision", "segmentation-models-pytorch", "safetensors"]
    plan = Plan("/x", build_named("cpu"), read_requirements(), "/usr/bin/python3")
    assert [name_of(line) for line in plan.torch_requirements()] == ["torch", "torchvision"]


def test_the_python_of_qgis_is_found():
    assert os.access(qgis_python(), os.X_OK)
    assert os.path.basename(qgis_python()).startswith("python3") and "/.venv/" not in qgis_python()


# Finding the engine


@pytest.fixture
def nothing_else(tmp_path, monkeypatch):
    monkeypatch.delenv("HAZARD_ENGINE_PYTHON", raising=False)
    monkeypatch.setattr(engine_location, "own_python", lambda: str(tmp_path / "none"))
    monkeypatch.setattr(engine_location, "engine_root", lambda: str(tmp_path))
    monkeypatch.setattr(engine_location, "load_setting", lambda name, default="": default)
    return tmp_path


def test_the_engine_in_the_profile_is_used_once_it_is_in_place(nothing_else):
    with pytest.raises(EngineMissing, match="press Set up engine"):
        find_engine()
    python = nothing_else / "engine" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/usr/bin/python3")
    assert find_engine().python == str(python)
    python.unlink()
    python.symlink_to("/nowhere/python3.9")
    with pytest.raises(EngineMissing, match="set it up again"):
        find_engine()


def test_an_unfinished_environment_is_no_engine(nothing_else):
    python = nothing_else / "engine.new" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/usr/bin/python3")
    with pytest.raises(EngineMissing):
        find_engine()


def test_the_folder_lies_in_the_profile_unless_another_was_chosen(qgis_app, monkeypatch):
    monkeypatch.setattr(engine_location, "load_setting", lambda name, default="": default)
    assert engine_location.engine_root() == os.path.join(
        os.path.abspath(qgis_app.qgisSettingsDirPath()), "hazard_mapper"
    )
    monkeypatch.setattr(engine_location, "load_setting", lambda name, default="": "/data/hazard")
    assert engine_location.engine_root() == "/data/hazard"


# The report


def test_the_report_gives_no_name_address_or_secret_away(monkeypatch):
    monkeypatch.setattr(setup_report, "user_name", lambda: "jdoe")
    monkeypatch.setenv("HOME", "/home/jdoe")
    monkeypatch.setenv("HTTPS_PROXY", "http://jdoe:geheim@proxy.institute.example:3128")
    monkeypatch.setenv("PIP_INDEX_URL", "https://token:s3cret@mirror.institute.example/simple")
    plan = Plan(
        "/home/jdoe/.local/share/QGIS/hazard_mapper", build_named("cpu"), read_requirements(), "/usr/bin/python3"
    )
    failure = {"kind": "proxy", "step": "torch", "sentence": "The proxy refuses.", "tail": []}
    lines = [
        "ProxyError('Cannot connect to proxy.', host='proxy.institute.example', port=3128)",
        "Looking in indexes: https://user:pa55@mirror.institute.example/simple, https://download.pytorch.org/whl/cpu",
        r"File C:\Users\jdoe\AppData\x.py",
        "connect to 10.20.30.40 failed on " + platform.node(),
        "PIP_PASSWORD=hunter2 Authorization: Basic dXNlcjpwYXNzd29yZA==",
    ]
    report = setup_report.make_report({"state": "failed", "failure": failure}, plan, lines)
    for secret in ("jdoe", "geheim", "s3cret", "pa55", "institute", "10.20.30.40", "hunter2", "dXNlcjpwYXNz", "token"):
        assert secret not in report, secret
    assert platform.node() not in report.split("Last lines")[1]
    assert "https://download.pytorch.org/whl/cpu" in report and "~/.local/share/QGIS" in report
    assert "Cannot connect to proxy" in report and "failure proxy at torch" in report


def test_the_report_of_this_computer_does_not_name_its_user():
    plan = Plan(os.path.expanduser("~/hazard"), build_named("cpu"), read_requirements(), "/usr/bin/python3")
    report = setup_report.make_report(
        {"state": "empty"}, plan, [f"{getpass.getuser()} said {os.path.expanduser('~')}/x"]
    )
    assert report.rstrip().endswith("<user> said ~/x")
