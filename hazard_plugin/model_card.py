"""Shows a model's card as a page to read: what it is for, how it was made, how well it does, where it fails."""

from typing import Any, List, Mapping

from qgis.PyQt.QtCore import QCoreApplication, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QPixmap, QTextDocument
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from .adaptation_report import adaptation_html
from .curves import Curves, read_curves
from .curves_widget import CurvesWidget
from .engine_texts import card_text
from .hazards import hazard_title
from .models import ModelEntry
from .result_panel import escape
from .scorecard_page import ScorecardDialog, has_scorecard

CURVES = "hazardmapper:curves"
"""Name under which the page knows the picture of the curves."""

HIDDEN = ("curves", "adaptation")
"""Entries of the training that are not shown as they are."""

SCORE_COLUMNS = ("set", "hazard", "mode", "balanced_accuracy", "iou", "f1", "precision", "recall", "false_area")


class ModelCardDialog(QDialog):
    """A page that can be selected from and closed."""

    manage_asked = pyqtSignal()

    def __init__(self, model: ModelEntry, parent: QWidget, can_manage: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("modelCardDialog")
        self.setWindowTitle(tr("Model card: {title}").format(title=model.title))
        self.resize(560, 520)
        layout = QVBoxLayout(self)
        self.page = QTextBrowser()
        self.page.setOpenExternalLinks(True)
        curves = read_curves(training_of(model).get("curves"))
        if curves.names:
            picture = curves_picture(curves, self.page, 500)
            self.page.document().addResource(QTextDocument.ResourceType.ImageResource, QUrl(CURVES), picture)
        self.page.setHtml(card_html(model, with_curves=bool(curves.names)))
        layout.addWidget(self.page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        if has_scorecard():
            compare = buttons.addButton(tr("All models…"), QDialogButtonBox.ButtonRole.ActionRole)
            compare.setObjectName("allModelsButton")
            compare.setToolTip(tr("Show the scores of all bundled models, set by set, beside simple rules"))
            compare.clicked.connect(lambda: ScorecardDialog(self).exec())
        if can_manage:
            manage = buttons.addButton(tr("Manage models…"), QDialogButtonBox.ButtonRole.ActionRole)
            manage.setObjectName("manageModelsButton")
            manage.setToolTip(tr("Import, export, compare and delete models, and choose defaults"))
            manage.clicked.connect(self.accept)
            manage.clicked.connect(self.manage_asked)
        layout.addWidget(buttons)


def training_of(model: ModelEntry) -> Mapping[str, Any]:
    """What the card says of the training."""
    training = model.card.get("training")
    return training if isinstance(training, Mapping) else {}


def curves_picture(curves: Curves, page: QWidget, width: int) -> QPixmap:
    """Curves as drawn during a run, in the colours of the page."""
    widget = CurvesWidget()
    widget.setPalette(page.palette())
    widget.setFont(page.font())
    widget.show_curves(curves)
    widget.resize(width, widget.sizeHint().height())
    return widget.grab()


def card_html(model: ModelEntry, with_curves: bool = False) -> str:
    """The card as HTML; everything in it is text, whatever it contains, but for the picture of its curves."""
    card = model.card
    parts = [f"<h2>{escape(model.title)}</h2>"]
    if card.get("description"):
        parts.append(f"<p>{escape(model.summary)}</p>")
    score = tr("not measured on real scenes yet") if model.score is None else f"{model.score:.2f}"
    facts = [
        (tr("Hazards"), ", ".join(hazard_title(hazard) for hazard in model.hazards)),
        (tr("Default for"), ", ".join(hazard_title(hazard) for hazard in model.default_for)),
        (tr("Mean balanced accuracy"), score),
        (tr("Architecture"), " / ".join(str(card[k]) for k in ("architecture", "encoder") if card.get(k))),
        (tr("Thresholds"), pairs(card.get("thresholds"))),
        (tr("Thresholds for display values"), pairs(card.get("display_thresholds"))),
        (tr("Thresholds for what is new"), pairs(card.get("change_thresholds"))),
        (tr("Parent"), card.get("parent")),
        (tr("Licence"), card.get("licence")),
        (tr("Folder"), card.get("path")),
    ]
    parts.append(table([], [[name, str(value)] for name, value in facts if value]))
    if model.adaptation:
        parts.append(f"<h3>{tr('Adaptation')}</h3>{adaptation_html(model.adaptation)}")
    rows = [row for row in card.get("scores") or () if isinstance(row, Mapping)]
    if rows:
        columns = [name for name in SCORE_COLUMNS if any(name in row for row in rows)]
        parts.append(f"<h3>{tr('Scores')}</h3>")
        parts.append(
            table([score_title(name) for name in columns], [[number(row.get(c)) for c in columns] for row in rows])
        )
    training = {name: value for name, value in training_of(model).items() if name not in HIDDEN}
    if training and not model.adaptation:
        rows_of_training = [[str(name).replace("_", " "), plain(value)] for name, value in training.items()]
        parts.append(f"<h3>{tr('Training')}</h3>{table([], rows_of_training)}")
    if with_curves:
        parts.append(f"<p><img src='{CURVES}'></p>")
    if card.get("limits"):
        parts.append(f"<h3>{tr('Limits')}</h3><p>{escape(card_text(str(card['limits'])))}</p>")
    return "".join(parts)


def score_title(name: str) -> str:
    """Name of a column of scores."""
    titles = {
        "set": tr("set"),
        "hazard": tr("hazard"),
        "mode": tr("mode"),
        "balanced_accuracy": tr("balanced accuracy"),
        "iou": "IoU",
        "f1": "F1",
        "precision": tr("precision"),
        "recall": tr("recall"),
        "false_area": tr("false area"),
    }
    return titles.get(name, name.replace("_", " "))


def plain(value: Any) -> str:
    """Any value of a card as one line of text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(name).replace('_', ' ')} {plain(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(plain(part) for part in value)
    return number(value)


def pairs(values: Any) -> str:
    """``flood 0.47, landslide 0.5``."""
    if not isinstance(values, Mapping):
        return ""
    return ", ".join(f"{hazard_title(str(name))} {number(value)}" for name, value in values.items())


def number(value: Any) -> str:
    """A cell's text."""
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def table(head: List[str], rows: List[List[str]]) -> str:
    """Rows as an HTML table."""
    top = "".join(f"<th align='left'>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table cellpadding='3'>{'<tr>' + top + '</tr>' if head else ''}{body}</table>"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("ModelCard", text)
