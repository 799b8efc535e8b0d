"""Each way in which a set-up fails is made to happen for real where that can be done, and gets its own sentence."""

import http.server
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
from dataclasses import replace

import pytest
from hazard_mapper.hazard_plugin import engine_setup, setup_plan
from hazard_mapper.hazard_plugin.engine_setup import EngineSetup
from hazard_mapper.hazard_plugin.setup_commands import clean_environment, pip_settings
from hazard_mapper.hazard_plugin.setup_failures import SetupFailed, kind_of_error, kinds, recognise, sentences
from hazard_mapper.hazard_plugin.setup_plan import Plan
from setup_toys import PROOF, PYTHON, VERSION, begin, copies_of, offline_plan, small, write_bundle, write_wheel
from support import ROOT

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small or read-only disk needs root")


def fails(plan, proof=PROOF):
    """Kind and sentence of the failure of a set-up."""
    with pytest.raises(SetupFailed) as caught:
        EngineSetup(plan.root, proof=proof).install(plan, lambda *_: None, lambda: False)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "{" not in sentence and "\n" not in sentence
    assert not os.path.exists(os.path.join(plan.root, "engine"))
    return caught.value.kind, sentence


@pytest.fixture
def plain_pip(monkeypatch):
    """pip without what this computer sets it to."""
    for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def online_plan(root, index):
    return Plan(str(root), small("cpu"), ("torch==2.13.0",), PYTHON, index)


@pytest.fixture
def mounted(tmp_path):
    """Mount a file system in memory; unmounted at the end."""
    folders = []

    def mount(options):
        folder = tmp_path / "disk"
        folder.mkdir()
        ended = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
        if ended.returncode != 0:
            pytest.skip("this system lets nobody mount")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def untrusted_server(tmp_path):
    """A package server whose certificate nobody signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("openssl is missing")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.handle_error = lambda *_: None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def test_no_network(quick_environment, plain_pip, setup_root):
    kind, sentence = fails(online_plan(setup_root, "https://127.0.0.1:9/simple"))
    assert kind == "no_network" and "install from a folder" in sentence


def test_a_proxy_that_does_not_answer(quick_environment, plain_pip, setup_root, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    kind, sentence = fails(online_plan(setup_root, "https://packages.invalid/simple"))
    assert kind == "proxy" and "HTTPS_PROXY" in sentence


@pytest.mark.usefixtures("quick_environment", "plain_pip")
def test_a_certificate_is_never_skipped(setup_root, untrusted_server, monkeypatch, tmp_path):
    """Not even where pip's configuration asks for it."""
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\ntrusted-host = localhost\nuser = true\n[install]\ntarget = elsewhere\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("PIP_TRUSTED_HOST", "localhost")
    kind, sentence = fails(online_plan(setup_root, untrusted_server))
    assert kind == "certificate" and "never skipped" in sentence


@needs_root
def test_a_disk_that_becomes_full(quick_environment, mounted, tmp_path, monkeypatch):
    monkeypatch.setattr(setup_plan, "SPARE_MB", 0)
    monkeypatch.setattr(engine_setup, "SPARE_MB", 1)
    wheels = tmp_path / "large"
    write_wheel(wheels, source="TEXT = '" + "x" * 60_000_000 + "'\n")
    write_bundle(wheels)
    kind, sentence = fails(offline_plan(mounted("size=40m") / "root", wheels))
    assert kind == "disk_full" and re.search(r"[1-9]\d* MB have to be free", sentence)


@needs_root
def test_a_disk_that_is_full_from_the_start(mounted, tiny_wheels):
    kind, sentence = fails(offline_plan(mounted("size=1m") / "root", tiny_wheels))
    assert kind == "disk_full" and "301 MB" in sentence


@needs_root
def test_a_profile_that_cannot_be_written(mounted, tiny_wheels):
    kind, sentence = fails(offline_plan(mounted("ro") / "root", tiny_wheels))
    assert kind == "read_only" and "choose another folder" in sentence


def test_a_file_in_the_folders_place(tmp_path, tiny_wheels):
    (tmp_path / "taken").touch()
    assert fails(offline_plan(tmp_path / "taken", tiny_wheels))[0] == "blocked"
    assert fails(offline_plan(tmp_path / "taken" / "within", tiny_wheels))[0] == "blocked"


def test_no_right_to_write(tmp_path, tiny_wheels, monkeypatch):
    def deny(path, exist_ok=False):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(engine_setup.os, "makedirs", deny)
    kind, sentence = fails(offline_plan(tmp_path / "root", tiny_wheels))
    assert kind == "denied" and "antivirus" in sentence


def python_that(tmp_path, code):
    """A Python with something broken in it: runs ``code`` when it starts."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(code)
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\nPYTHONPATH='{tmp_path / 'site'}' exec {PYTHON} \"$@\"\n")
    path.chmod(0o755)
    return str(path)


def test_a_python_without_ensurepip(tmp_path, setup_root, tiny_wheels):
    python = python_that(tmp_path, "import sys; sys.modules['ensurepip'] = None")
    kind, sentence = fails(offline_plan(setup_root, tiny_wheels, python=python))
    assert kind == "no_venv" and "apt install python3-venv" in sentence


def test_a_python_that_is_too_old(tmp_path, setup_root, tiny_wheels):
    python = python_that(tmp_path, "import sys; sys.version_info = (3, 9, 5)")
    kind, sentence = fails(offline_plan(setup_root, tiny_wheels, python=python))
    assert kind == "python_old" and "3.9.5" in sentence


@pytest.mark.parametrize("path", ["/bin/true", "/bin/false", "/nowhere/python"])
def test_what_is_no_python(setup_root, tiny_wheels, path):
    assert fails(offline_plan(setup_root, tiny_wheels, python=path))[0] == "python_broken"


def test_no_python_at_all(setup_root, tiny_wheels):
    assert fails(offline_plan(setup_root, tiny_wheels, python=""))[0] == "no_python"


def test_a_package_that_is_not_there(quick_environment, setup_root, tiny_wheels):
    kind, sentence = fails(offline_plan(setup_root, tiny_wheels, ["tiny_engine==3.0"]))
    assert kind == "no_wheel" and "tiny_engine==3.0" in sentence


def test_the_numpy_of_qgis_is_never_replaced(quick_environment, setup_root, tmp_path):
    wheels = tmp_path / "wanting"
    write_wheel(wheels, requires=["numpy>=99"])
    write_wheel(wheels, "99.0", "numpy")
    assert fails(offline_plan(setup_root, write_bundle(wheels)))[0] in ("conflict", "no_wheel")


def said_by_proof(found):
    return ("-c", f"print({json.dumps(found)!r}); raise SystemExit(1)")


@pytest.fixture(scope="module")
def begun(engine_environment, tmp_path_factory):
    """Plan of a set-up that was cancelled right before the proof."""
    folder = tmp_path_factory.mktemp("begun")
    write_wheel(folder / "wheels")
    plan = offline_plan(folder / "root", write_bundle(folder / "wheels"))
    with copies_of(engine_environment):
        begin(plan)
    return plan


@pytest.mark.parametrize(
    "kind, message, expected",
    [
        ("device", "The NVIDIA driver on your system is too old (found version 11040).", "driver_old"),
        ("device", "CUDA error: no kernel image is available for execution on the device", "gpu"),
        ("device", "Torch not compiled with CUDA enabled", "gpu"),
        ("numbers", "cuda:0 and the CPU differ by 3.2.", "numbers"),
        ("torch", "libtorch_cpu.so: cannot open shared object file", "torch"),
        ("gdal", "No module named 'osgeo'", "gdal"),
        ("something new", "?", "proof"),
    ],
)
def test_what_the_proof_finds(quick_environment, begun, setup_root, kind, message, expected):
    found = {"ok": False, "kind": kind, "message": message}
    shutil.copytree(begun.root, setup_root, symlinks=True)
    said, sentence = fails(replace(begun, root=str(setup_root)), said_by_proof(found))
    assert said == expected and message.rstrip(".") in sentence


# Words that these programs say on other systems, and that cannot be made to happen here.
@pytest.mark.parametrize(
    "kind, said",
    [
        ("disk_full", "OSError: [WinError 112] There is not enough space on the disk"),
        ("disk_full", "ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded"),
        ("denied", "ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'C:\\\\x'"),
        ("denied", "[WinError 225] Operation did not complete successfully because the file contains a virus"),
        ("long_path", "HINT: This error might have occurred since this system does not have Windows Long Path support"),
        ("proxy", "OSError('Tunnel connection failed: 407 Proxy Authentication Required')"),
        ("forbidden", "ERROR: HTTP error 403 while getting https://packages.invalid/torch.whl"),
        ("hash", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."),
        ("no_venv", "The virtual environment was not created successfully because ensurepip is not\navailable."),
        ("no_network", "NameResolutionError: Failed to resolve 'packages.invalid' ([Errno 11001] getaddrinfo failed)"),
    ],
)
def test_what_other_systems_say(kind, said):
    assert recognise(said) == kind


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"HTTPS_PROXY": "http://name:word@proxy.invalid:3128/"}, "proxy"),
        ({"PIP_PROXY": "proxy.invalid:3128"}, "proxy"),
        ({"https_proxy": "http://other.invalid:3128"}, "no_network"),
        ({"NO_PROXY": "proxy.invalid"}, "no_network"),
        ({"HTTPS_PROXY": "http://[broken"}, "no_network"),
        ({}, "no_network"),
    ],
)
def test_a_proxy_is_told_from_the_server_by_its_name(variables, kind):
    """pip 26 does not say that the host it could not reach is the proxy."""
    said = (
        "WARNING: Retrying after connection broken by 'NewConnectionError(\"HTTPSConnection(host='proxy.invalid', "
        "port=3128): Failed to establish a new connection: [Errno 111] Connection refused\")': /simple/torch/\n"
        "ERROR: No matching distribution found for torch==2.13.0"
    )
    assert recognise(said, variables) == kind


def test_errors_of_the_system_are_told_apart():
    assert [kind_of_error(OSError(code, "")) for code in (28, 30, 13, 20, 36)] == [
        "disk_full",
        "read_only",
        "denied",
        "blocked",
        "long_path",
    ]


def test_every_failure_has_a_sentence_of_its_own():
    assert len(set(sentences().values())) == len(kinds())
    for kind in kinds():
        text = str(SetupFailed(kind, "because"))
        assert text.endswith(".") and "{" not in text, kind


def test_only_where_packages_come_from_is_kept_of_pips_settings():
    listed = [
        "global.index-url='https://mirror.invalid/simple'",
        "global.trusted-host='mirror.invalid'",
        "install.target='C:\\\\elsewhere'",
        "global.extra-index-url='\\nhttps://a.invalid\\nhttps://b.invalid'",
        ":env:.index-url='https://other.invalid/simple'",
        "download.cert='x'",
        "global.cert=broken'",
    ]
    assert pip_settings(listed) == {
        "PIP_INDEX_URL": "https://other.invalid/simple",
        "PIP_EXTRA_INDEX_URL": "https://a.invalid https://b.invalid",
    }


def test_the_users_own_places_reach_no_command(monkeypatch):
    inherited = {"PYTHONPATH": "x", "PYTHONHOME": "x", "PIP_USER": "1", "PIP_TARGET": "x", "PIP_TRUSTED_HOST": "x"}
    found = clean_environment({**inherited, "PATH": "/bin", "HTTPS_PROXY": "http://proxy"})
    assert found["PATH"] == "/bin" and found["HTTPS_PROXY"] == "http://proxy" and found["PIP_USER"] == "0"
    assert not {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_TRUSTED_HOST"} & set(found)


# Bundles


def test_a_bundle_made_by_the_command_installs(quick_environment, plain_pip, setup_root, tmp_path, monkeypatch):
    source = tmp_path / "source"
    write_wheel(source)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("tiny_engine==1.0  # the engine\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(source))
    bundle = tmp_path / "a bundle é"
    command = [PYTHON, "-m", "engine.bundle", "--to", str(bundle), "--device", "cpu", "--package-index"]
    ended = subprocess.run([*command, "--requirements", str(requirements)], cwd=ROOT, capture_output=True, text=True)
    if "No module named pip" in ended.stderr:
        pytest.skip("the system's Python has no pip")
    assert ended.returncode == 0, ended.stderr
    again = subprocess.run([*command, "--requirements", str(requirements)], cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 2 and "not empty" in again.stderr
    plan = offline_plan(setup_root, bundle)
    assert EngineSetup(plan.root, proof=PROOF).install(plan, lambda *_: None, lambda: False)["ok"]


def test_a_changed_wheel_is_not_installed(setup_root, tiny_wheels):
    with next(tiny_wheels.glob("*.whl")).open("ab") as file:
        file.write(b"\0")
    kind, _ = fails(offline_plan(setup_root, tiny_wheels))
    assert kind == "hash" and not (setup_root / "engine.new").exists()


def test_a_wheel_slipped_in_is_not_installed(setup_root, tiny_wheels):
    write_wheel(tiny_wheels, "1.1")
    kind, sentence = fails(offline_plan(setup_root, tiny_wheels))
    assert kind == "bundle" and "tiny_engine-1.1" in sentence


def test_a_bundle_that_is_not_whole(setup_root, tiny_wheels):
    (tiny_wheels / "SHA256SUMS").write_text("0" * 64 + "  ../../etc/passwd\n")
    assert fails(offline_plan(setup_root, tiny_wheels))[0] == "bundle"
    (tiny_wheels / "SHA256SUMS").unlink()
    assert fails(offline_plan(setup_root, tiny_wheels))[0] == "bundle"
    (tiny_wheels / "bundle.json").unlink()
    assert fails(offline_plan(setup_root, tiny_wheels))[0] == "bundle"


def test_a_bundle_for_another_computer(setup_root, tiny_wheels):
    write_bundle(tiny_wheels, python="3.2")
    kind, sentence = fails(offline_plan(setup_root, tiny_wheels))
    assert kind == "bundle_other" and "Python 3.2" in sentence and f"Python {VERSION}" in sentence
