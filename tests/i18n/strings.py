"""Collects the plugin's texts and brings the catalogues of resources/i18n up to date.

``python -m tests.i18n.strings`` writes what is new into every ``hazardmapper_*.ts`` as unfinished, drops what is gone
and says what is left to translate; ``python -m tests.i18n.strings LANGUAGE`` begins a catalogue for another language.

PyQt looks a text of ``self.tr`` up under the class of the object itself, so a text of a base class is listed under
every class that inherits it.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from engine import protocol

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ROOT / "resources" / "i18n"
NOT_TEXT = {"&", "", "…", "⋮"}


@functools.cache
def sources(root: Path = ROOT) -> list[tuple[str, str]]:
    """Context and text of everything that is given to tr() or stands in a form, sorted, each once."""
    files = sorted((root / "hazard_plugin").rglob("*.py"))
    trees = [ast.parse(file.read_text(encoding="utf-8"), str(file)) for file in files]
    heirs = heirs_of(trees)
    found = {pair for tree in trees for pair in texts_of(tree, heirs)}
    for file in sorted((root / "hazard_plugin").glob("*.ui")):
        form = ElementTree.parse(file).getroot()
        context = form.findtext("class") or ""
        found |= {
            (context, text.text)
            for text in form.iter("string")
            if text.text and text.text.strip() not in NOT_TEXT and text.get("notr") != "true"
        }
    return sorted(found | engine_texts(root))


def engine_texts(root: Path) -> set[tuple[str, str]]:
    """Fixed words of the engine that the plugin translates: stages, what fields of jobs mean, bundled cards."""
    found = set()
    for file in (root / "engine").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "stage":
                found |= {("EngineStage", part.value) for part in call.args[:1] if isinstance(part, ast.Constant)}
    for job in (protocol.PretrainJob, protocol.TrainJob):
        found |= {("EngineJob", str(field.metadata["help"])) for field in dataclasses.fields(job) if field.metadata}
    for path in (root / "resources" / "models").glob("*/card.json"):
        card = json.loads(path.read_text(encoding="utf-8"))
        found |= {("ModelCards", card[name]) for name in ("title", "description", "limits") if card.get(name)}
    return {(context, text) for context, text in found if text}


def heirs_of(trees: list[ast.Module]) -> dict[str, set[str]]:
    """For every class its own name and those of all classes that inherit from it."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }

    def inherits(name: str, ancestor: str) -> bool:
        return name == ancestor or any(inherits(base, ancestor) for base in bases.get(name, ()) if base != name)

    return {name: {other for other in bases if inherits(other, name)} for name in bases}


def texts_of(tree: ast.Module, heirs: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Context and text of the calls of tr() in a file; raises SyntaxError where a text cannot be read off."""
    context_of_module = next(
        (
            call.args[0].value
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "translate"
            and isinstance(call.args[0], ast.Constant)
        ),
        "",
    )
    imported_from = {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    def visit(node: ast.AST, contexts: set[str]) -> Iterator[tuple[str, str]]:
        for child in ast.iter_child_nodes(node):
            inside = heirs.get(child.name, set()) if isinstance(child, ast.ClassDef) else contexts
            if isinstance(child, ast.Call) and child.args:
                yield from read_call(child, contexts)
            yield from visit(child, inside)

    def read_call(call: ast.Call, contexts: set[str]) -> Iterator[tuple[str, str]]:
        name = call.func
        is_own = isinstance(name, ast.Attribute) and name.attr == "tr"
        if isinstance(name, ast.Attribute) and name.attr == "translate":
            named = [part.value for part in call.args if isinstance(part, ast.Constant)]
            if len(named) == 2:
                yield str(named[0]), str(named[1])
            return
        if not is_own and not (isinstance(name, ast.Name) and name.id == "tr"):
            return
        text = call.args[0]
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            raise SyntaxError(f"line {call.lineno}: tr() needs a text as it stands, for it to be found")
        if is_own:
            yield from ((context, text.value) for context in contexts)
        else:
            yield (context_of_module or context_of(imported_from.get("tr", "")), text.value)

    yield from visit(tree, set())


def context_of(module: str) -> str:
    """Context of a tr() that is imported from another module of the plugin."""
    path = ROOT / "hazard_plugin" / (module.split("hazard_plugin.")[-1].replace(".", "/") + ".py")
    candidates = [path] if path.exists() else list((ROOT / "hazard_plugin").rglob(f"{module.split('.')[-1]}.py"))
    for candidate in candidates:
        for call in ast.walk(ast.parse(candidate.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "translate":
                return str(call.args[0].value) if isinstance(call.args[0], ast.Constant) else ""
    return ""


def read(path: Path) -> dict[tuple[str, str], str]:
    """Finished translations of a catalogue by context and text."""
    found = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            if translation is not None and translation.text and translation.get("type") is None:
                found[context.findtext("name") or "", message.findtext("source") or ""] = translation.text
    return found


def write(path: Path, language: str, wanted: list[tuple[str, str]], known: dict[tuple[str, str], str]) -> int:
    """Write a catalogue; a text that is known from another context takes its translation. Returns what is missing."""
    elsewhere = {source: text for (_, source), text in known.items()}
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE TS>", f'<TS version="2.1" language="{language}">']
    missing = 0
    for context in sorted({name for name, _ in wanted}):
        lines += ["<context>", f"    <name>{escape(context)}</name>"]
        for _, source in (pair for pair in wanted if pair[0] == context):
            text = known.get((context, source)) or elsewhere.get(source, "")
            missing += not text
            state = "" if text else ' type="unfinished"'
            lines += ["    <message>", f"        <source>{escape(source)}</source>"]
            lines += [f"        <translation{state}>{escape(text)}</translation>", "    </message>"]
        lines.append("</context>")
    path.write_text("\n".join([*lines, "</TS>", ""]), encoding="utf-8")
    return missing


def main(languages: list[str]) -> int:
    """Bring all catalogues, and those of these languages, up to date."""
    wanted = sources()
    paths = {*CATALOGUES.glob("hazardmapper_*.ts"), *(CATALOGUES / f"hazardmapper_{name}.ts" for name in languages)}
    print(f"{len(wanted)} texts, {len({source for _, source in wanted})} different ones")
    for path in sorted(paths):
        missing = write(path, path.stem.split("_", 1)[1], wanted, read(path) if path.exists() else {})
        print(f"{path.relative_to(ROOT)}: {missing} to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
