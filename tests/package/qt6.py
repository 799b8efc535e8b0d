"""Finds in Python source what QGIS's own migration script would change for Qt 6 and PyQt 6, or warn of.

The plugin repository runs ``scripts/pyqt5_to_pyqt6/pyqt5_to_pyqt6.py`` of QGIS on every upload. Its rules are held here
anew on the syntax tree, with the enumerations taken from the QGIS that runs the test instead of QGIS 4: an enumerator
counts as scoped when it is reached through its enumeration, as in ``Qt.ItemDataRole.UserRole``.
"""

from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

RENAMED = {("Qt", "MidButton"), ("Qt", "TextColorRole"), ("Qt", "BackgroundColorRole")}
RENAMED |= {("QPainter", "HighQualityAntialiasing")}
METRICS = ("QFontMetrics", "QFontMetricsF", "fontMetrics")


def classes_of(modules: list[ModuleType]) -> dict[str, Any]:
    """Every class and namespace of these modules by its name."""
    return {name: value for module in modules for name, value in vars(module).items() if inspect.isclass(value)}


def is_unscoped(owner: Any, name: str) -> bool:
    """Whether ``owner.name`` is an enumerator although ``owner`` is no enumeration; QVariant's stay as they are."""
    if is_enumeration(owner) or owner.__name__ == "QVariant":
        return False
    return is_enumeration(type(getattr(owner, name, None)))


def is_enumeration(kind: Any) -> bool:
    """Whether a class lists enumerators: Python's own, or one that SIP wrapped."""
    return inspect.isclass(kind) and (issubclass(kind, enum.Enum) or type(kind).__name__ == "enumtype")


def findings(source: str, classes: dict[str, Any]) -> list[str]:
    """``line: what`` for everything that has to change; ``classes`` are those of Qt and QGIS by name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        found += [f"{node.lineno}: {what}" for what in of_node(node, classes)]  # type: ignore[attr-defined]
    return sorted(found)


def of_node(node: ast.AST, classes: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one node."""
    if isinstance(node, ast.ImportFrom):
        yield from of_import(node)
    elif isinstance(node, ast.Import):
        yield from (f"import of {a.name}" for a in node.names if a.name.split(".")[0] in ("PyQt5", "PyQt6"))
    elif isinstance(node, ast.FunctionDef) and node.name == "exec_":
        yield "exec_ is exec"
    elif isinstance(node, ast.Attribute):
        yield from of_attribute(node, classes)
    elif isinstance(node, ast.Call):
        yield from of_call(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
        if node.value.attr == "activated" and isinstance(node.slice, ast.Name) and node.slice.id == "str":
            yield "activated[str] is gone"


def of_import(node: ast.ImportFrom) -> Iterator[str]:
    """Modules and names that Qt 6 does not have."""
    module = node.module or ""
    if module.split(".")[0] in ("PyQt5", "PyQt6"):
        yield f"import from {module} instead of qgis.PyQt"
    if module == "qgis.PyQt.Qt":
        yield "import from qgis.PyQt.Qt"
    for alias in node.names:
        if alias.name in ("QRegExp", "resources_rc", "qApp", "QDesktopWidget"):
            yield f"import of {alias.name}"


def of_attribute(node: ast.Attribute, classes: dict[str, Any]) -> Iterator[str]:
    """Enumerators without their enumeration, and members that are gone."""
    if isinstance(node.value, ast.Name):
        owner = node.value.id
        if (owner, node.attr) in RENAMED:
            yield f"{owner}.{node.attr} was renamed"
        elif owner == "qApp":
            yield "qApp is gone"
        elif (owner, node.attr) == ("QVariant", "Type"):
            yield "QVariant.Type is gone"
        elif owner in classes and is_unscoped(classes[owner], node.attr):
            yield f"{owner}.{node.attr} without its enumeration"
    elif isinstance(node.value, ast.Call) and node.attr == "width" and called(node.value) in METRICS:
        yield "width() of font metrics is horizontalAdvance()"


def of_call(node: ast.Call) -> Iterator[str]:
    """Calls that mean something else in Qt 6."""
    name = called(node)
    if isinstance(node.func, ast.Attribute):
        if name == "exec_":
            yield "exec_() is exec()"
        elif name == "addAction" and len(node.args) >= 4:
            yield "addAction() with four arguments"
        elif name == "desktop" and not node.args:
            yield "desktop() is gone"
    elif name == "QVariant" and (not node.args or is_member_of(node.args[0], "QVariant")):
        yield "QVariant() is NULL"
    elif name == "QDateTime":
        is_date = len(node.args) == 1 and isinstance(node.args[0], ast.Call) and called(node.args[0]) == "QDate"
        if is_date or len(node.args) == 8:
            yield "QDateTime needs a QDate and a QTime"


def called(node: ast.Call) -> str:
    """Last part of the name of what is called."""
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def is_member_of(node: ast.AST, owner: str) -> bool:
    """Whether a node reads ``owner.something``."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == owner
