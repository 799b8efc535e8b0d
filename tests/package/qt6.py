"""Finds in Python source what QGIS's own migration script would change for Qt 6 and PyQt 6, or warn of.

The plugin repository runs ``scripts/pyqt5_to_pyqt6/pyqt5_to_pyqt6.py`` of QGIS on every upload. Its rules are held here
anew on the syntax tree, with the enumerations taken from the QGIS that runs the test instead of QGIS 4: an enumerator
counts as scoped when it is reached through its enumeration, as in ``Qt.ItemDataRole.UserRole``.

``python3 tests/package/qt6.py FILE...`` goes further where PyQt 6 is installed: it prints what these files read from
qgis.PyQt that PyQt 6 does not have. The tests run it in a process of its own, as one process cannot hold both PyQts.
"""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

RENAMED = {("Qt", "MidButton"), ("Qt", "TextColorRole"), ("Qt", "BackgroundColorRole")}
RENAMED |= {("QPainter", "HighQualityAntialiasing")}
FOREIGN = ("PyQt5", "PyQt6", "sip")
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
    tree = ast.parse(source)
    metrics = set(metrics_in(tree))
    for node in ast.walk(tree):
        found += [f"{node.lineno}: {what}" for what in of_node(node, classes)]  # type: ignore[attr-defined]
        if isinstance(node, ast.Attribute) and node.attr == "width" and getattr(node.value, "id", "") in metrics:
            found.append(f"{node.lineno}: width() of font metrics is horizontalAdvance()")
    return sorted(found)


def metrics_in(tree: ast.AST) -> Iterator[str]:
    """Variables that hold font metrics."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and called(node.value) in METRICS:
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def of_node(node: ast.AST, classes: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one node."""
    if isinstance(node, ast.ImportFrom):
        yield from of_import(node)
    elif isinstance(node, ast.Import):
        yield from (f"import of {a.name}" for a in node.names if a.name.split(".")[0] in FOREIGN)
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
    if module.split(".")[0] in FOREIGN and node.level == 0:
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
    elif name == "QFontDatabase":
        yield "QFontDatabase() is no object but a namespace of functions"
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


def lacking(source: str) -> Iterator[str]:
    """``line: name`` for each name that is imported from qgis.PyQt, or read from such a name, and not in PyQt 6.

    An import that is tried and may fail is let pass, as are the members of QVariant, which QGIS adds itself.
    """
    tree = ast.parse(source)
    tried = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any(getattr(h.type, "id", "") == "ImportError" for h in node.handlers)
        for child in ast.walk(node)
    }
    known: dict[str, Any] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("qgis.PyQt."):
            continue
        module = importlib.import_module("PyQt6." + str(node.module).removeprefix("qgis.PyQt."))
        for alias in node.names:
            if hasattr(module, alias.name):
                known[alias.asname or alias.name] = getattr(module, alias.name)
            elif node not in tried:
                yield f"{node.lineno}: {node.module}.{alias.name}"
    known.pop("QVariant", None)
    for node in ast.walk(tree):
        chain = ast.unparse(node).split(".") if isinstance(node, ast.Attribute) else [""]
        if chain[0] not in known or not all(name.isidentifier() for name in chain):
            continue
        owner = known[chain[0]]
        for name in chain[1:]:
            if not inspect.isclass(owner):
                break
            if not hasattr(owner, name):
                yield f"{node.lineno}: {'.'.join(chain)}"
                break
            owner = getattr(owner, name)


def main() -> int:
    """Print what the files on the command line need and PyQt 6 lacks; returns the exit code."""
    found = [f"{Path(name).name}:{what}" for name in sys.argv[1:] for what in lacking(Path(name).read_text("utf-8"))]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
