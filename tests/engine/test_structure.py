"""Who may import whom: the engine stands on its own, and GDAL is met in one place."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINE = sorted((ROOT / "engine").rglob("*.py"))
PLUGIN = sorted((ROOT / "hazard_plugin").rglob("*.py"))


def imports(path):
    """(level, module) of every import in a file, however deep."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""
            if node.level:
                yield from ((node.level, ".".join(filter(None, (node.module, alias.name)))) for alias in node.names)


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_the_engine_knows_nothing_of_qgis_and_imports_itself_relatively(path):
    for level, module in imports(path):
        first = module.split(".")[0]
        assert level or first not in {"qgis", "PyQt5", "PyQt6", "PySide2", "PySide6", "engine", "hazard_plugin"}, module
        if level == 0 and first == "osgeo":
            assert path.parent.name in ("raster", "vector")


@pytest.mark.parametrize("path", PLUGIN, ids=name)
def test_the_plugin_imports_nothing_of_the_engine_but_the_protocol(path):
    for level, module in imports(path):
        parts = module.split(".")
        assert parts[0] not in {"torch", "segmentation_models_pytorch"}
        if "engine" in parts and (level or parts[0] == "engine"):
            assert parts[parts.index("engine") :][:2] in (["engine"], ["engine", "protocol"])


PROTOCOL = (
    "fields",
    "delivery_jobs",
    "archive_jobs",
    "model_jobs",
    "scene_jobs",
    "learning_jobs",
    "jobs",
    "product_names",
    "protocol",
)
"""The protocol and what it is made of, each importing only those before it."""


@pytest.mark.parametrize("module", PROTOCOL)
def test_the_protocol_is_standard_library_and_python_3_9(module):
    path = ROOT / "engine" / f"{module}.py"
    ast.parse(path.read_text("utf-8"), feature_version=(3, 9))
    found = list(imports(path))
    assert {name.split(".")[0] for level, name in found if level == 0} <= set(sys.stdlib_module_names)
    assert {name.split(".")[0] for level, name in found if level} <= set(PROTOCOL[: PROTOCOL.index(module)])
    assert all(level <= 1 for level, _ in found)


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_files_of_the_engine_are_short_and_begin_with_a_sentence(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) < 480
    assert ast.get_docstring(ast.parse(text)).endswith(".")


def test_only_raster_and_vector_meet_gdal_and_training_needs_none():
    with_gdal = {name(path) for path in ENGINE if any(module.startswith("osgeo") for _, module in imports(path))}
    assert all(path.startswith(("engine/raster/", "engine/vector/")) for path in with_gdal)
