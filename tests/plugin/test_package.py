"""The check of the package finds every defect it is for, and the plugin holds nothing that Qt 6 no longer has."""

import configparser
import importlib.util
import json
import subprocess
import sys
import zipfile

import pytest
import qgis.core
import qgis.gui
from qgis.PyQt import QtCore, QtGui, QtNetwork, QtSvg, QtWidgets, QtXml
from support import ROOT

sys.path.insert(0, str(ROOT / "tests" / "package"))
import check_package
import qt6

TOP = "hazard_mapper/"
METADATA = """[general]
name=Hazard Mapper
qgisMinimumVersion=3.22
qgisMaximumVersion=3.99
description=Maps hazards.
about=The engine is downloaded once.
version=1.2.3
author=Someone
email=someone@somewhere.net
repository=https://somewhere.net/code
tracker=https://somewhere.net/issues
icon=icon.svg
hasProcessingProvider=yes
"""
FILES = {
    "__init__.py": "",
    "metadata.txt": METADATA,
    "LICENSE": "GNU GENERAL PUBLIC LICENSE\nVersion 2",
    "icon.svg": "<svg/>",
    "resources/models/m/weights.safetensors": "w",
}


def pack(tmp_path, files=(), left_out=(), metadata=None, top=TOP):
    """A package that is right but for what is changed."""
    path = tmp_path / "hazard_mapper-1.2.3.zip"
    content = {top + name: text for name, text in FILES.items() if name not in left_out}
    content.update(dict(files))
    if metadata is not None:
        content[top + "metadata.txt"] = metadata
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return path


def test_a_package_that_is_right_has_no_defect(tmp_path):
    assert check_package.check_plainly(pack(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        (TOP + "lib.so", "kind of file"),
        (TOP + "lib.dll", "kind of file"),
        (TOP + "lib.dylib", "kind of file"),
        (TOP + "module.pyd", "kind of file"),
        (TOP + "module.pyc", "kind of file"),
        (TOP + "tool.exe", "kind of file"),
        (TOP + "run.sh", "kind of file"),
        (TOP + "run.bat", "kind of file"),
        (TOP + "model.pt", "kind of file"),
        (TOP + "model.pkl", "kind of file"),
        (TOP + "inner.zip", "kind of file"),
        (TOP + "Makefile", "kind of file"),
        (TOP + "__pycache__/a.py", "__pycache__"),
        (TOP + "__MACOSX/a.py", "__MACOSX"),
        (TOP + ".git/a.txt", "hidden"),
        (TOP + ".gitignore", "hidden"),
        (TOP + ".hidden/a.py", "hidden"),
        (TOP + "tests/test_a.py", "tests"),
        (TOP + "../a.py", "out of the plugin's folder"),
        ("/a.py", "out of the plugin's folder"),
        ("C:/a.py", "out of the plugin's folder"),
        ("__MACOSX/a.txt", "not just the folder"),
        ("readme.txt", "not just the folder"),
    ],
)
def test_a_file_that_may_not_be_there_is_named(tmp_path, name, word):
    found = check_package.check_plainly(pack(tmp_path, {name: ""}))
    assert any(word in sentence for sentence in found), found


def test_executable_files_and_links_are_named(tmp_path):
    path = pack(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        for name, mode in (("run.py", 0o100755), ("link.py", 0o120777)):
            member = zipfile.ZipInfo(TOP + name)
            member.external_attr = mode << 16
            archive.writestr(member, "")
    found = check_package.check_plainly(path)
    assert f"{TOP}run.py: executable file" in found and f"{TOP}link.py: link" in found


@pytest.mark.parametrize("name", ["__init__.py", "metadata.txt", "LICENSE"])
def test_a_file_that_has_to_be_there_is_missed(tmp_path, name):
    assert check_package.check_plainly(pack(tmp_path, left_out=[name])) == [f"{TOP}{name} is missing."]


def test_another_folder_is_not_the_plugin(tmp_path):
    assert "not just the folder" in check_package.check_plainly(pack(tmp_path, top="other/"))[0]


def test_a_package_that_is_too_large_is_refused(tmp_path):
    path = pack(tmp_path, {TOP + "large.txt": "x" * 2000})
    assert "more than the 2000" in check_package.check_archive(path, limit_bytes=2000)[0]


def test_what_is_damaged_is_refused(tmp_path):
    path = pack(tmp_path, {TOP + "large.txt": "unmistakable" * 200})
    content = bytearray(path.read_bytes())
    content[content.index(b"unmistakable") + 5] ^= 0xFF
    path.write_bytes(content)
    assert check_package.check_plainly(path) == [f"{TOP}large.txt: damaged"]
    path.write_bytes(b"no zip")
    assert check_package.check_plainly(path) == ["'hazard_mapper-1.2.3.zip' is not a zip."]


@pytest.mark.parametrize("key", check_package.REQUIRED)
def test_a_required_key_is_missed(tmp_path, key):
    lines = [line for line in METADATA.splitlines() if not line.startswith(f"{key}=")]
    found = check_package.check_plainly(pack(tmp_path, metadata="\n".join(lines)))
    assert f"metadata.txt has no {key}." in found
    lines.append(f"{key}=  ")
    found = check_package.check_plainly(pack(tmp_path, metadata="\n".join(lines)))
    assert f"metadata.txt has no {key}." in found


@pytest.mark.parametrize(
    ("was", "becomes", "word"),
    [
        ("hasProcessingProvider=yes", "hasProcessingProvider=no", "hasProcessingProvider"),
        ("version=1.2.3", "version=1.2.4", "version 1.2.4"),
        ("qgisMaximumVersion=3.99", "", "range"),
        ("qgisMaximumVersion=3.99", "qgisMaximumVersion=3.4", "range"),
        ("qgisMinimumVersion=3.22", "qgisMinimumVersion=three", "range"),
        ("about=The engine is downloaded once.", "about=It maps.", "downloaded"),
        ("author=Someone", "author=Some/one", "slash"),
        ("email=someone@somewhere.net", "email=someone", "address"),
        ("tracker=https://somewhere.net/issues", "tracker=http://bugs", "tracker"),
        ("icon=icon.svg", "icon=other.svg", "other.svg"),
        ("[general]", "[special]", "cannot be read"),
        ("[general]", "", "cannot be read"),
    ],
)
def test_metadata_that_does_not_fit_is_named(tmp_path, was, becomes, word):
    assert was in METADATA
    found = check_package.check_plainly(pack(tmp_path, metadata=METADATA.replace(was, becomes)))
    assert len(found) == 1 and word in found[0]


def test_placeholders_are_told_of():
    assert check_package.placeholders(METADATA) == []
    assert check_package.placeholders("repository=https://example.org/x\nemail=a@example.org") == [
        "repository",
        "email",
    ]


def test_another_licence_is_named(tmp_path):
    path = pack(tmp_path, {TOP + "LICENSE": "All rights reserved."})
    assert check_package.check_plainly(path) == ["LICENSE is not the GNU General Public License."]


def test_what_bandit_reports_is_a_defect():
    issue = {"filename": "a.py", "line_number": 3, "test_id": "B602", "issue_severity": "HIGH", "issue_text": "shell"}
    report = json.dumps({"results": [issue], "errors": [{"filename": "b.py", "reason": "syntax error"}]})
    assert check_package.bandit_findings(report) == [
        "a.py:3: Bandit B602 (high): shell",
        "b.py: Bandit: syntax error",
    ]


def test_secrets_are_defects_and_hashes_of_weights_are_not(tmp_path):
    digest = "0123456789abcdef" * 4
    (tmp_path / "card.json").write_text(f'{{\n "weights_sha256": "{digest}",\n "key": "{digest}"\n}}')
    found = [{"type": "Hex High Entropy String", "line_number": line} for line in (2, 3)]
    report = json.dumps({"results": {"card.json": found}})
    assert check_package.secret_findings(report, tmp_path) == ["card.json:3: detect-secrets: Hex High Entropy String"]


def test_tools_that_cannot_be_installed_are_told_of_in_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(check_package, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(check_package.sys, "executable", "/bin/false")
    monkeypatch.setattr(check_package.sys, "argv", ["check", str(pack(tmp_path))])
    monkeypatch.delenv("PACKAGE_CHECKS", raising=False)
    assert check_package.main() == 1
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1 and "PACKAGE_CHECKS=basic" in told[0]
    monkeypatch.setenv("PACKAGE_CHECKS", "basic")
    assert check_package.main() == 0
    assert "without Bandit" in capsys.readouterr().out


def test_tools_that_are_there_find_what_is_planted(tmp_path):
    if not (check_package.TOOLS / "ready").exists():
        pytest.skip("the tools of the check are not installed; make package installs them")
    token = "ghp_" + "1aB2cD3eF4" * 3 + "5gH6iJ"
    source = f"import subprocess\n\nTOKEN = '{token}'\nsubprocess.call('ls', shell=True)\nprint(unknown)\n"
    path = pack(tmp_path, {TOP + "bad.py": source})
    found = "\n".join(check_package.check_with_tools(path, check_package.prepare_tools()))
    assert "B602" in found and "GitHub Token" in found and "F821" in found


def test_the_metadata_here_is_right():
    text = (ROOT / "metadata.txt").read_text(encoding="utf-8")
    parser = configparser.ConfigParser()
    parser.read_string(text)
    assert check_package.check_metadata(text, {TOP + parser["general"]["icon"]}, parser["general"]["version"]) == []


CLASSES = qt6.classes_of([QtCore, QtGui, QtNetwork, QtSvg, QtWidgets, QtXml, qgis.core, qgis.gui])


@pytest.mark.parametrize(
    "source",
    [
        "Qt.UserRole",
        "QFrame.StyledPanel",
        "QLabel.StyledPanel",  # inherited
        "QgsWkbTypes.PolygonGeometry",
        "QgsProcessing.TypeVectorLine",
        "QgsProcessingParameterNumber.Double",
        "Qt.MidButton",
        "dialog.exec_()",
        "def exec_(self): pass",
        "from PyQt5.QtCore import Qt",
        "import PyQt5",
        "from qgis.PyQt.Qt import QObject",
        "from qgis.PyQt.QtCore import QRegExp",
        "from . import resources_rc",
        "qApp.processEvents()",
        "QVariant()",
        "QVariant(QVariant.Int)",
        "QVariant.Type.Int",
        "QDateTime(QDate(2020, 1, 1))",
        "QDateTime(2020, 1, 1, 0, 0, 0, 0, 1)",
        "menu.addAction(icon, text, slot, key)",
        "app.desktop()",
        "self.fontMetrics().width(text)",
        "metrics = QFontMetrics(font)\nmetrics.width(text)",
        "QFontDatabase().families()",
        "import sip",
        "box.activated[str].connect(slot)",
    ],
)
def test_what_qt_6_lacks_is_found(source):
    assert len(qt6.findings(source, CLASSES)) >= 1


@pytest.mark.parametrize(
    "source",
    [
        "Qt.ItemDataRole.UserRole",
        "QgsWkbTypes.GeometryType.PolygonGeometry",
        "QgsMapLayerType.RasterLayer",
        "Qgis.QGIS_VERSION_INT",
        "QVariant.Int",
        "dialog.exec()",
        "QTimer.singleShot(0, f)",
    ],
)
def test_what_qt_6_has_is_let_pass(source):
    assert qt6.findings(source, CLASSES) == []


HAS_PYQT6 = importlib.util.find_spec("PyQt6") is not None
needs_pyqt6 = pytest.mark.skipif(not HAS_PYQT6, reason="PyQt 6 is not installed; make test-trixie brings it")


def lacking(*files):
    """Exit code and lines of the check against PyQt 6, in a process that has not loaded PyQt 5."""
    command = [sys.executable, str(ROOT / "tests" / "package" / "qt6.py"), *map(str, files)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


@needs_pyqt6
def test_pyqt_6_has_every_name_that_the_plugin_uses():
    assert lacking(*sorted((ROOT / "hazard_plugin").rglob("*.py"))) == (0, [])


@needs_pyqt6
def test_names_that_pyqt_6_lacks_are_found(tmp_path):
    (tmp_path / "old.py").write_text(
        "from qgis.PyQt.QtCore import QRegExp, Qt, QVariant\n"
        "from qgis.PyQt.QtWidgets import QAction, QFrame\n"
        "Qt.MouseButton.MidButton, Qt.ItemDataRole.UserRole, QVariant.Int, QFrame.Shape.Round.name\n"
    )
    found = ["old.py:1: qgis.PyQt.QtCore.QRegExp", "old.py:2: qgis.PyQt.QtWidgets.QAction"]
    found += ["old.py:3: Qt.MouseButton.MidButton", "old.py:3: QFrame.Shape.Round"]
    code, lines = lacking(tmp_path / "old.py")
    assert code == 1 and {line.removesuffix(".name") for line in lines} == set(found)


def test_nothing_in_the_plugin_has_to_change_for_qt_6():
    files = [ROOT / "__init__.py", *(ROOT / "hazard_plugin").rglob("*.py"), *(ROOT / "engine").rglob("*.py")]
    found = [f"{path.name}:{what}" for path in files for what in qt6.findings(path.read_text("utf-8"), CLASSES)]
    assert found == []
