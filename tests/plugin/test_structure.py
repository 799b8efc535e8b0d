"""The five rules that a reader of imports can hold."""

import ast
import configparser
import sys

from support import ROOT

PLUGIN_FILES = sorted((ROOT / "hazard_plugin").rglob("*.py"))
PROTOCOL_PARTS = (
    "fields", "archive_jobs", "delivery_jobs", "learning_jobs", "model_jobs", "scene_jobs", "jobs", "product_names",
)  # fmt: skip
PROTOCOL_FILES = ("protocol.py", *(f"{name}.py" for name in PROTOCOL_PARTS))
WITHIN = tuple(f"engine.{name}." for name in PROTOCOL_PARTS)
HEAVY = {"torch", "torchvision", "segmentation_models_pytorch", "timm", "safetensors", "osgeo", "PyQt5", "PyQt6"}


def imported(path):
    """Absolute names of what a file imports, relative imports resolved within the package."""
    names = []
    parts = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(parts[: len(parts) - node.level]) if node.level else []
            module = base + (node.module.split(".") if node.module else [])
            names += [".".join([*module, alias.name]) for alias in node.names]
    return names


def test_the_plugin_imports_nothing_of_the_engine_but_its_protocol():
    for path in PLUGIN_FILES:
        for name in imported(path):
            if name.split(".")[0] == "engine":
                assert name.split(".")[1] == "protocol", f"{path.name} imports {name}"


def test_the_plugin_imports_neither_torch_nor_gdal_nor_pyqt_itself():
    for path in [*PLUGIN_FILES, ROOT / "__init__.py"]:
        heavy = {name.split(".")[0] for name in imported(path)} & HEAVY
        assert not heavy, f"{path.name} imports {heavy}"


def test_only_two_modules_start_programs():
    users = [p.name for p in PLUGIN_FILES if "QProcess(" in p.read_text() or "subprocess" in p.read_text()]
    assert users == ["engine_worker.py", "setup_commands.py"]


def test_the_engine_knows_nothing_of_qgis():
    for path in (ROOT / "engine").rglob("*.py"):
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & {"qgis", "PyQt5", "PyQt6", "hazard_plugin"}, path.name


def test_the_plugin_parses_as_python_39():
    protocol = [ROOT / "engine" / name for name in PROTOCOL_FILES]
    for path in [*PLUGIN_FILES, ROOT / "__init__.py", *protocol]:
        ast.parse(path.read_text(), feature_version=(3, 9))


def test_the_protocol_needs_only_the_standard_library():
    for file in PROTOCOL_FILES:
        roots = {name.split(".")[0] for name in imported(ROOT / "engine" / file) if not name.startswith(WITHIN)}
        assert roots <= set(sys.stdlib_module_names), file


def test_files_are_short_and_begin_with_a_sentence():
    for path in PLUGIN_FILES:
        text = path.read_text()
        assert len(text.splitlines()) < 450, path.name
        assert ast.get_docstring(ast.parse(text)).endswith("."), path.name


def test_no_execution_of_old_qt_names():
    for path in PLUGIN_FILES:
        assert ".exec_(" not in path.read_text(), path.name


def test_metadata_is_complete():
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "metadata.txt", encoding="utf-8")
    general = metadata["general"]
    for key in ("name", "description", "about", "version", "author", "email", "repository", "tracker", "icon"):
        assert general[key].strip(), key
    assert general["qgisMinimumVersion"] == "3.22" and general["hasProcessingProvider"] == "yes"
    assert (ROOT / general["icon"]).exists() and (ROOT / "LICENSE").read_text().count("GNU GENERAL PUBLIC LICENSE")
