"""README and help pages: links and pictures resolve, pages are found, commands exist, figures are measured ones."""

import json
import os
import re
import shlex
import struct
import tempfile
from pathlib import Path

import pytest

from engine import __version__
from engine.__main__ import build_parser, join_values

ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "resources" / "help"
PICTURES = HELP / "pictures"
README = ROOT / "README.md"
PAGES = sorted([README, *HELP.glob("*.md"), ROOT / "resources" / "models" / "TRAINING.md"])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
COMMAND = re.compile(r"^\s*(?:HAZARD_DATA=\S+ )?(?:\.venv/bin/)?python3? -m engine (\S.*?)(?: {2,}#.*)?$", re.MULTILINE)


def named(pages):
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


def text_of(page):
    return page.read_text("utf-8")


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def local_links(page):
    """Files and sections that a page links to, as (path, anchor)."""
    for link in LINK.findall(text_of(page)):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


@named(PAGES)
def test_links_lead_to_files_and_sections_that_exist(page):
    for path, anchor in local_links(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors(path), f"{path.name}#{anchor}"
    for place in (str(ROOT), tempfile.gettempdir() + os.sep):
        assert place not in text_of(page), "a path of this machine"


@named(PAGES)
def test_pictures_exist_and_say_in_words_what_they_show(page):
    for words, name in PICTURE.findall(text_of(page)):
        assert (page.parent / name).is_file(), name
        assert len(words.split()) >= 3, f"{name}: {words!r}"


def test_every_picture_is_shown_and_taken_by_the_command():
    shown = {(page.parent / name).resolve() for page in PAGES for _, name in PICTURE.findall(text_of(page))}
    taken = "".join(text_of(path) for path in (ROOT / "tests" / "pictures").glob("*.py"))
    for path in PICTURES.glob("*"):
        assert path in shown, path.name
        assert f'"{path.stem}"' in taken or f"{path.name}" in taken, path.name


def test_pictures_are_small():
    sizes = [path.stat().st_size for path in PICTURES.glob("*.png")]
    assert 8 <= len(sizes) <= 24 and sum(sizes) < 2_000_000
    for path in PICTURES.glob("*.png"):
        width, height, depth, kind = struct.unpack(">IIBB", path.read_bytes()[16:26])
        assert (depth, kind) == (8, 3), f"{path.name} has no palette"
        assert width <= 1200 and height <= 1200, path.name


def test_every_page_is_reached_from_the_index():
    reached, waiting = set(), [HELP / "index.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [path for path, _ in local_links(page) if path.suffix == ".md"]
    assert set(HELP.glob("*.md")) <= reached
    assert HELP / "index.md" in {path for path, _ in local_links(README)}


def test_every_command_of_the_readme_is_understood():
    commands = COMMAND.findall(text_of(README))
    assert len(commands) >= 20
    parser = build_parser()
    for command in commands:
        parser.parse_args(join_values(shlex.split(command), parser))  # ends the test where it is not


@named(PAGES)
def test_commands_and_options_of_the_help_exist(page):
    known = {
        name: {flag for action in command._actions for flag in action.option_strings}
        for group in build_parser()._subparsers._group_actions
        for name, command in group.choices.items()
    }
    for command in re.findall(r"python3? -m engine ([a-z-]+[^`\n]*)", text_of(page)):
        name, *words = command.split()
        assert name in known, command
        for word in words:
            flag = re.match(r"\[?(--[a-z0-9-]+)", word)
            assert flag is None or flag.group(1) in known[name], command


@named(PAGES)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for target in re.findall(r"(?:^|`|= ?basic )\s*make ([a-z-]+)(?=[ `\n])", text_of(page), re.MULTILINE):
        assert target in targets, target


@named(PAGES)
def test_algorithms_and_their_parameters_exist(page):
    sources = [text_of(path) for path in (ROOT / "hazard_plugin" / "algorithms").glob("*.py")]
    everything = "".join(sources)
    for name, values in re.findall(r"hazardmapper:([a-z]+)(?: +-- ([^`\n]*))?", text_of(page)):
        assert any(f'return "{name}"' in source for source in sources), name
        for parameter in re.findall(r"([A-Z_]+)=", values):
            assert f'"{parameter}"' in everything, f"{name} {parameter}"


def test_scores_told_in_short_are_those_that_the_commands_printed():
    measured = "".join(text_of(HELP / f"{name}.md") for name in ("scorecard", "ablations"))
    for page in (README, HELP / "data_and_scores.md"):
        for line in text_of(page).splitlines():
            if line.startswith("|"):
                for pair in re.findall(r"0\.\d{3} / 0\.\d{3}", line):
                    assert pair in measured, f"{page.name}: {line}"
        for figure in re.findall(r"\b0\.\d{3}\b", text_of(page)):
            assert figure in measured, f"{page.name}: {figure}"


def test_the_default_models_are_those_that_the_short_table_names():
    titles = {"Flood": "flood", "Landslide": "landslide", "Glacier collapse": "glacier_collapse"}
    defaults = {}
    for path in (ROOT / "resources" / "models").glob("*/card.json"):
        card = json.loads(text_of(path))
        defaults.update(dict.fromkeys(card["default_for"], card["title"].split(",")[0].lower()))
    rows = re.findall(r"^\| (Flood|Landslide|Glacier collapse), .*\((.*?)\) \|$", text_of(README), re.MULTILINE)
    assert len(rows) >= 5
    for hazard, model in rows:
        assert model.lower() == defaults[titles[hazard]], hazard


def test_readme_is_short_and_has_three_doors():
    text = text_of(README)
    assert len(text.splitlines()) < 250
    assert all(f"**{reader}**" in text for reader in ("analyst", "scientist", "engineer"))


def test_versions_agree_and_the_citation_names_nobody():
    citation = text_of(ROOT / "CITATION.cff")
    metadata = text_of(ROOT / "metadata.txt")
    assert f"\nversion: {__version__}\n" in citation and f"\nversion={__version__}\n" in metadata
    assert f"\nchangelog={__version__}" in metadata
    assert 'name: "Hazard Mapper contributors"' in citation


def test_files_that_the_architecture_names_exist():
    text = text_of(HELP / "architecture.md")
    part = text[text.index("## Where to find what") : text.index("## How to add")]
    halves = part.split("| in `hazard_plugin/` | |")
    for folder, half in zip(("engine", "hazard_plugin"), halves, strict=True):
        rows = "\n".join(line for line in half.splitlines() if line.startswith("|"))
        names = re.findall(r"`([a-z_*]+(?:\.py|\.ui|/))`", rows)
        assert len(names) >= 15
        for name in names:
            if name != f"{folder}/":
                assert list((ROOT / folder).glob(name.rstrip("/"))), f"{folder}/{name}"
