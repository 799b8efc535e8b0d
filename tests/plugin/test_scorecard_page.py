"""The scores of all models can be read beside each model's card, and only where they came with the plugin."""

from hazard_mapper.hazard_plugin import model_card, scorecard_page
from hazard_mapper.hazard_plugin.models import read_models
from qgis.PyQt.QtWidgets import QPushButton

MODEL = {"name": "x", "title": "X net", "hazards": ["flood"], "score": 0.8}


def test_the_page_shows_the_table_that_the_command_wrote(qgis_parent, tmp_path):
    path = tmp_path / "scorecard.md"
    path.write_text("# Scores\n\n| set | X net |\n|---|---|\n| S1 pxs10 | 0.911 / 0.871 |\n", encoding="utf-8")
    dialog = scorecard_page.ScorecardDialog(qgis_parent, str(path))
    assert "0.911 / 0.871" in dialog.page.toPlainText()
    assert "|---" not in dialog.page.toPlainText()


def test_a_card_leads_to_all_scores_where_there_are_any(qgis_parent, monkeypatch):
    model = read_models([MODEL])[0]
    monkeypatch.setattr(model_card, "has_scorecard", lambda: True)
    button = model_card.ModelCardDialog(model, qgis_parent).findChild(QPushButton, "allModelsButton")
    assert button is not None and button.toolTip()
    monkeypatch.setattr(model_card, "has_scorecard", lambda: False)
    assert model_card.ModelCardDialog(model, qgis_parent).findChild(QPushButton, "allModelsButton") is None
