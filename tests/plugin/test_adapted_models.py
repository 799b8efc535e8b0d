"""Adapted models as the plugin lists them, their report, and the names of what a run writes."""

import os


def entries(*rows):
    from hazard_mapper.hazard_plugin.models import read_models

    return read_models([{"hazards": ["flood"], "default_for": [], "score": None, **row} for row in rows])


def listed(*rows):
    from hazard_mapper.hazard_plugin.models import nested

    return [(entry.name, below) for entry, below in nested(entries(*rows))]


def test_adapted_models_follow_their_parents():
    rows = (
        {"name": "a"},
        {"name": "b"},
        {"name": "x", "adapted": True, "parent": "a"},
        {"name": "y", "adapted": True, "parent": "b"},
        {"name": "z", "adapted": True, "parent": "a"},
    )
    assert listed(*rows) == [("a", False), ("x", True), ("z", True), ("b", False), ("y", True)]


def test_no_model_is_lost_whatever_parents_are_named():
    rows = (
        {"name": "orphan", "adapted": True, "parent": "gone"},
        {"name": "self", "adapted": True, "parent": "self"},
        {"name": "trained", "parent": "orphan"},
        {"name": "twice", "adapted": True, "parent": "orphan"},
    )
    assert listed(*rows) == [("orphan", False), ("self", False), ("trained", False), ("twice", False)]


def test_models_that_name_each_other_as_parents_are_listed_all_the_same():
    rows = ({"name": "p", "adapted": True, "parent": "q"}, {"name": "q", "adapted": True, "parent": "p"})
    assert sorted(name for name, _ in listed(*rows)) == ["p", "q"]


def test_the_report_shows_text_as_it_is_and_bold_only_what_is_in_use():
    from hazard_mapper.hazard_plugin.adaptation_report import adaptation_html

    stages = [
        {"stage": "source", "accepted": True, "proxy": 0.4, "reason": ""},
        {"stage": "<i>", "accepted": True, "proxy": 0.3, "reason": "better & safe", "area_m2": None},
        {"stage": "last", "accepted": False, "proxy": None, "reason": ""},
    ]
    html = adaptation_html({"verdict": "adapted", "reason": "Adapted: <b>", "stages": stages})
    assert "Adapted: &lt;b&gt;" in html and "better &amp; safe" in html
    assert "<b>&lt;i&gt;</b>" in html and "<b>source</b>" not in html and "<b>last</b>" not in html
    rolled = adaptation_html({"verdict": "rolled_back", "reason": "Not adapted: x", "stages": stages})
    assert "<b>Rolled back.</b> Not adapted: x" in rolled and "<b>&lt;i&gt;</b>" not in rolled


def test_a_report_of_nothing_or_nonsense_is_a_page_all_the_same():
    from hazard_mapper.hazard_plugin.adaptation_report import adaptation_html

    for told in ({}, {"stages": [None, 3], "characteristics": "?", "job": []}, {"characteristics": {"sources": None}}):
        assert "Settings" in adaptation_html(told)
    assert "not known" in adaptation_html({"characteristics": {"date": None}})


def test_names_of_outputs_are_free_and_belong_together(tmp_path):
    from hazard_mapper.hazard_plugin.output_files import free_names

    first = free_names(str(tmp_path), "a/scene", "flood")
    assert {os.path.basename(path) for path in first.values()} == {
        "scene_flood.tif",
        "scene_flood_probability.tif",
        "scene_flood_not_adapted.tif",
        "scene_flood_not_adapted_probability.tif",
        "scene_flood_change.tif",
    }
    (tmp_path / "scene_flood_change.tif").write_text("")
    second = free_names(str(tmp_path), "a/scene", "flood")
    assert os.path.basename(second["OUTPUT"]) == "scene_flood_2.tif" and not set(first.values()) & set(second.values())
