"""A tiny package and plans that set up an environment with it, for tests of the engine's set-up without a network."""

import base64
import contextlib
import hashlib
import json
import shutil
import sys
import zipfile
from dataclasses import replace

import pytest
from hazard_mapper.engine.protocol import Cancelled
from hazard_mapper.hazard_plugin.engine_setup import EngineSetup
from hazard_mapper.hazard_plugin.setup_plan import Plan, build_named, this_machine, this_system

PYTHON = "/usr/bin/python3"
VERSION = "{}.{}".format(*sys.version_info[:2])

PROOF = (
    "-c",
    "import json, sys, tiny_engine\n"
    "print(json.dumps({'ok': True, 'device': sys.argv[1], 'path': tiny_engine.__file__, 'of': tiny_engine.VERSION}))",
)


def write_wheel(folder, version="1.0", name="tiny_engine", source="", requires=()):
    """A wheel with one module, as small as pip accepts; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source or f"VERSION = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {one}\n" for one in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: toys\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\ntiny-engine = {name}:main\n",
    }
    records = []
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            records.append(f"{inside},sha256={digest},{len(text.encode())}\n")
        archive.writestr(f"{info}/RECORD", "".join(records) + f"{info}/RECORD,,\n")
    return path


def write_bundle(folder, build="cpu", **changed):
    """Manifest and hashes for the wheels in a folder, written independently of the engine's own bundle maker."""
    manifest = {"version": 1, "build": build, "python": VERSION, "system": this_system(), "machine": this_machine()}
    (folder / "bundle.json").write_text(json.dumps({**manifest, **changed}))
    names = [path.name for path in folder.iterdir() if path.name != "SHA256SUMS"]
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


def small(name):
    """A build that needs hardly any disk."""
    return replace(build_named(name), download_mb=0, disk_mb=1)


def offline_plan(root, wheels, requirements=("tiny_engine==1.0",), build="cpu", python=PYTHON):
    """Set up the tiny package from a folder."""
    return Plan(str(root), small(build), tuple(requirements), python, None, str(wheels))


def copy_environment(environment, patch):
    """Have set-ups copy an environment instead of making one, as long as a patch lasts."""

    def create(self, plan, state):
        shutil.rmtree(self.path("engine.new"), ignore_errors=True)
        shutil.copytree(environment, self.path("engine.new"), symlinks=True)

    patch.setattr(EngineSetup, "_create", create)


@contextlib.contextmanager
def copies_of(environment):
    """Set-ups within copy an environment, whatever the scope of the fixture that they are in."""
    with pytest.MonkeyPatch.context() as patch:
        copy_environment(environment, patch)
        yield


def begin(plan):
    """Set up as far as what is to be proven, as a set-up that is cancelled there leaves it."""
    at = []
    with contextlib.suppress(Cancelled):
        EngineSetup(plan.root, proof=PROOF).install(
            plan, lambda step, share, text: at.append(step), lambda: bool(at) and at[-1] == "prove"
        )
    assert at[-1] == "prove"
