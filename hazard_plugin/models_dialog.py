"""The Models dialog: what is installed and what can be done with it; the engine does it, this asks and shows."""

import os
from typing import Any, Callable, Dict, List, Optional

from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..engine import protocol
from .card_form import CardForm
from .compat import QAction
from .engine_client import EngineClient
from .hazards import hazard_title
from .help_page import HelpDialog
from .messages import WARNING, log
from .model_card import ModelCardDialog
from .models import ModelEntry, dependents_of, nested, read_models
from .models_compare import CompareDialog
from .settings import load_setting, save_setting

NAME = Qt.ItemDataRole.UserRole


class ModelsDialog(QDialog):
    """Lists models and looks after them; ``changed`` tells that others should list them again.

    Questions to the user go through ``ask_zip``, ``ask_folder``, ``ask_target`` and ``confirm``.
    """

    changed = pyqtSignal()

    def __init__(self, client: EngineClient, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._client = client
        self._busy = False
        self._wanted = ""
        self.models: List[ModelEntry] = []
        self.ask_zip = self._ask_zip
        self.ask_folder = self._ask_folder
        self.ask_target = self._ask_target
        self.confirm = self._confirm
        self.setObjectName("modelsDialog")
        self.setWindowTitle(tr("Models"))
        self.resize(1060, 480)
        self.tree = QTreeWidget()
        self.tree.setObjectName("modelsTree")
        self.tree.setAccessibleName(tr("Models that can be used"))
        self.tree.setHeaderLabels([tr("Model"), tr("Name"), tr("Hazards"), tr("Score"), tr("Default for"), tr("From")])
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setAlternatingRowColors(True)
        self.tree.itemSelectionChanged.connect(self.update_state)
        self.tree.itemDoubleClicked.connect(lambda *_: self.show_card())
        show = QAction(self.tree)  # else Enter would press Close
        show.setShortcuts([QKeySequence(Qt.Key.Key_Return), QKeySequence(Qt.Key.Key_Enter)])
        show.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        show.triggered.connect(lambda: self.show_card())
        self.tree.addAction(show)
        self.status = QLabel()
        self.status.setObjectName("modelsStatus")
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._build()
        self.update_state()

    def _build(self) -> None:
        self.import_menu, self.default_menu = QMenu(self), QMenu(self)
        for menu in (self.import_menu, self.default_menu):
            menu.setToolTipsVisible(True)
        for text, tip, slot in (
            (tr("From a &zip…"), tr("A model that was exported"), self._import_zip),
            (
                tr("From a &folder…"),
                tr("A folder with card.json, weights.safetensors, SHA256SUMS"),
                self._import_folder,
            ),
            (tr("&Weights without a card…"), tr("Describe weights of others so that they can be used"), self._adopt),
        ):
            action = self.import_menu.addAction(text)
            action.setToolTip(tip)
            action.triggered.connect(slot)
        column = QVBoxLayout()
        self.buttons: Dict[str, QPushButton] = {}
        for name, text, slot in (
            ("import", tr("&Import"), None),
            ("export", tr("&Export…"), self._export),
            ("delete", tr("&Delete…"), self._delete),
            ("default", tr("Default &for"), None),
            ("card", tr("&Card"), self.show_card),
            ("compare", tr("Com&pare"), self.compare),
        ):
            button = self.buttons[name] = QPushButton(text)
            button.setObjectName(f"{name}ModelButton")
            button.setAutoDefault(False)
            if slot is not None:
                button.clicked.connect(lambda _checked=False, wanted=slot: wanted())
            column.addWidget(button)
        self.buttons["import"].setMenu(self.import_menu)
        self.buttons["default"].setMenu(self.default_menu)
        column.addStretch()
        row = QHBoxLayout()
        row.addWidget(self.tree, 1)
        row.addLayout(column)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self.status)
        standard = QDialogButtonBox.StandardButton
        box = QDialogButtonBox(standard.Close | standard.Help)
        box.rejected.connect(self.reject)
        box.helpRequested.connect(lambda: HelpDialog("models", self).show())
        layout.addWidget(box)

    # The list

    def refresh(self) -> None:
        """Ask the engine what there is."""
        self._client.submit("models", protocol.ModelsJob(), self._on_models)

    def _on_models(self, listed: Any, error: Optional[protocol.HazardError]) -> None:
        if error is not None:
            self.say(str(error), is_trouble=True)
            return
        chosen = [self._wanted] if self._wanted else [model.name for model in self.selected()]
        self._wanted = ""
        self.models = read_models(listed)
        self.tree.clear()
        above: Optional[QTreeWidgetItem] = None
        for model, is_below in nested(self.models):
            item = QTreeWidgetItem(row_of(model))
            item.setData(0, NAME, model.name)
            item.setToolTip(0, model.tip)
            if is_below and above is not None:
                above.addChild(item)
            else:
                self.tree.addTopLevelItem(item)
                above = item
            item.setSelected(model.name in chosen)
        self.tree.expandAll()
        for index in range(self.tree.columnCount() - 1):  # the last takes what is left
            self.tree.resizeColumnToContents(index)
            self.tree.setColumnWidth(index, min(self.tree.columnWidth(index) + 8, 220))
        self.update_state()

    def selected(self) -> List[ModelEntry]:
        """The chosen models, in the order of the list."""
        names = [str(item.data(0, NAME)) for item in self.tree.selectedItems()]
        return [model for model, _ in nested(self.models) if model.name in names]

    def select(self, *names: str) -> None:
        """Choose models by name."""
        for item in self.tree.findItems("*", Qt.MatchFlag.MatchWildcard | Qt.MatchFlag.MatchRecursive):
            item.setSelected(item.data(0, NAME) in names)

    def update_state(self) -> None:
        """Enable what makes sense and say why the rest does not."""
        chosen = self.selected()
        one = chosen[0] if len(chosen) == 1 else None
        choose = tr("Choose one model in the list first.")
        reasons = {
            "import": "",
            "export": "" if one else choose,
            "card": "" if one else choose,
            "default": "" if one else choose,
            "delete": choose if one is None else tr("It came with the plugin.") if one.is_bundled else "",
            "compare": "" if len(chosen) > 1 else tr("Choose two or more models in the list, with Ctrl or Shift."),
        }
        tips = {
            "import": tr("Add a model of others; every file is checked before it can be used"),
            "export": tr("Pack the model into a zip"),
            "card": tr("What the model is for, how it was made, how well it does, where it fails"),
            "default": tr("Choose the hazards that this model answers for when none is named"),
            "delete": tr("Delete the model from this computer"),
            "compare": tr("Lay cards and scores of the chosen models side by side"),
        }
        for name, button in self.buttons.items():
            reason = tr("Wait until the engine is done.") if self._busy else reasons[name]
            button.setEnabled(not reason)
            button.setToolTip(reason or tips[name])
        self._list_defaults(one)

    def _list_defaults(self, model: Optional[ModelEntry]) -> None:
        self.default_menu.clear()
        for hazard in model.hazards if model is not None else ():
            action = self.default_menu.addAction(hazard_title(hazard))
            action.setCheckable(True)
            action.setChecked(hazard in model.default_for)
            is_own = hazard in model.chosen_for
            if hazard in model.default_for and not is_own:
                action.setEnabled(False)
                action.setToolTip(tr("It is the usual default; make another model the default instead."))
            target = None if is_own else model.name
            action.triggered.connect(lambda _checked=False, h=hazard, m=target: self.set_default(h, m))

    def say(self, text: str, is_trouble: bool = False) -> None:
        """Show one sentence below the list; troubles go to the log as well."""
        self.status.setText(text)
        if is_trouble:
            log(text, WARNING)

    # What is done

    def import_path(self, path: str, name: Optional[str] = None, overwrite: bool = False) -> None:
        """Install a model from a folder or zip."""
        if not path:
            return
        save_setting("models_folder", os.path.dirname(path))
        job = protocol.ImportModelJob(path=path, name=name, overwrite=overwrite)
        self._do("import-model", job, tr("Checking {name}…").format(name=os.path.basename(path)), self._on_imported)

    def _on_imported(self, told: Dict[str, Any]) -> None:
        self._wanted = str(told.get("model", ""))
        parts = [
            tr("'{model}' can be used now, for: {hazards}.").format(
                model=self._wanted, hazards=", ".join(hazard_title(str(hazard)) for hazard in told.get("hazards") or ())
            )
        ]
        self.say(" ".join([*parts, *(str(text) for text in told.get("warnings") or ())]))

    def export_to(self, name: str, path: str) -> None:
        """Pack a model into a zip; the file dialog has asked about one that exists."""
        if not path:
            return
        save_setting("models_folder", os.path.dirname(path))
        path = path if path.lower().endswith(".zip") else path + ".zip"
        job = protocol.ExportModelJob(model=name, to=path, overwrite=True)
        self._do("export-model", job, tr("Packing '{model}'…").format(model=name), self._on_exported)

    def _on_exported(self, told: Dict[str, Any]) -> None:
        text = tr("'{model}' is in {path} ({size:.1f} MB).").format(
            model=told.get("model"), path=told.get("to"), size=float(told.get("bytes") or 0) / 1e6
        )
        self.say(" ".join([text, *(str(warning) for warning in told.get("warnings") or ())]))

    def delete(self, model: ModelEntry) -> None:
        """Delete a model after a question that names the adapted models that need it."""
        needed_by = [other.name for other in dependents_of(self.models, model)]
        text = tr("Delete the model '{model}' from this computer?").format(model=model.name)
        if needed_by:
            text = tr(
                "Delete the model '{model}' from this computer? These were adapted from it, cannot be used without it, "
                "and are deleted too: {others}."
            ).format(model=model.name, others=", ".join(needed_by))
        if not self.confirm(text):
            return
        job = protocol.DeleteModelJob(model=model.name, with_adapted=bool(needed_by), yes=True)
        self._do("delete-model", job, tr("Deleting '{model}'…").format(model=model.name), self._on_deleted)

    def _on_deleted(self, told: Dict[str, Any]) -> None:
        text = tr("Deleted: {models}.").format(models=", ".join(str(name) for name in told.get("deleted") or ()))
        self.say(" ".join([text, *(str(warning) for warning in told.get("warnings") or ())]))

    def set_default(self, hazard: str, model: Optional[str]) -> None:
        """Make a model the default of a hazard; None leaves it to the cards again."""
        job = protocol.DefaultModelJob(hazard=hazard, model=model)
        self._do("default-model", job, tr("Remembering the default…"), self._on_default)

    def _on_default(self, told: Dict[str, Any]) -> None:
        text = tr("{hazard} is answered by '{model}' when no model is named.")
        self.say(text.format(hazard=hazard_title(str(told.get("hazard"))), model=told.get("model")))

    def adopt(self, form: CardForm, job: Any) -> None:
        """Make a model of weights without a card; the form stays until they fit."""

        def on_done(told: Dict[str, Any]) -> None:
            form.accept()
            self._on_imported(told)

        text = tr("Checking whether the weights fit…")
        self._do("adopt-weights", job, text, on_done, form.fail)

    def _do(
        self,
        kind: str,
        job: Any,
        text: str,
        on_done: Callable[[Dict[str, Any]], None],
        on_failed: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        if self._busy:
            on_failed(tr("Wait until the engine is done."))
            return
        self._busy = True
        self.say(text)
        self.update_state()

        def answer(told: Any, error: Optional[protocol.HazardError]) -> None:
            self._busy = False
            if error is not None:
                self.say(str(error), is_trouble=True)
                self.update_state()
                on_failed(str(error))
                return
            on_done(told if isinstance(told, dict) else {})
            self.refresh()
            self.changed.emit()

        self._client.submit(kind, job, answer)

    # Buttons

    def show_card(self) -> None:
        """Open the card of the chosen model."""
        chosen = self.selected()
        if len(chosen) == 1:
            ModelCardDialog(chosen[0], self).open()

    def compare(self) -> None:
        """Open the chosen models side by side."""
        chosen = self.selected()
        if len(chosen) > 1:
            CompareDialog(chosen, self).open()

    def _import_zip(self) -> None:
        self.import_path(self.ask_zip())

    def _import_folder(self) -> None:
        self.import_path(self.ask_folder())

    def _adopt(self) -> None:
        form = CardForm(self)
        form.wanted.connect(lambda job: self.adopt(form, job))
        form.open()

    def _export(self) -> None:
        for model in self.selected()[:1]:
            self.export_to(model.name, self.ask_target(model.name))

    def _delete(self) -> None:
        for model in self.selected()[:1]:
            self.delete(model)

    def _ask_zip(self) -> str:
        title, kinds = tr("Import a model"), tr("Models (*.zip)")
        return str(QFileDialog.getOpenFileName(self, title, load_setting("models_folder"), kinds)[0])

    def _ask_folder(self) -> str:
        return str(QFileDialog.getExistingDirectory(self, tr("Folder of a model"), load_setting("models_folder")))

    def _ask_target(self, name: str) -> str:
        start = os.path.join(load_setting("models_folder"), f"{name}.zip")
        return str(QFileDialog.getSaveFileName(self, tr("Export '{model}'").format(model=name), start, "*.zip")[0])

    def _confirm(self, text: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return bool(QMessageBox.question(self, tr("Delete a model"), text, yes | no, no) == yes)


def row_of(model: ModelEntry) -> List[str]:
    """A model's cells in the list."""
    if model.is_adapted:
        origin = tr("adapted from {parent}").format(parent=model.parent)
    else:
        origin = tr("bundled") if model.is_bundled else tr("installed")
    score = "–" if model.score is None else f"{model.score:.2f}"
    hazards, defaults = ([hazard_title(h) for h in names] for names in (model.hazards, model.default_for))
    return [model.title, model.name, ", ".join(hazards), score, ", ".join(defaults), origin]


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("ModelsDialog", text)
