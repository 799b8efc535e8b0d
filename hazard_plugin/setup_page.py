"""The dialog of the engine's set-up: what will be installed, where, how large, for which device; and how it goes."""

import os
import shutil
import time
from typing import Any, Callable, List, Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget

from ..engine import protocol
from .engine_location import ENGINE, PACKAGE_FOLDER, engine_root
from .engine_setup import NEW, EngineSetup
from .help_page import HelpDialog
from .messages import INFO, WARNING, log
from .settings import load_setting, save_setting
from .setup_bundle import read_bundle
from .setup_failures import SetupFailed
from .setup_form import SetupForm
from .setup_plan import (
    MB,
    Build,
    Choice,
    Plan,
    build_named,
    choose_build,
    name_of,
    pytorch_index,
    qgis_python,
    read_requirements,
    size_text,
    this_machine,
    this_system,
)
from .setup_report import make_report
from .setup_task import SetupTask, Work, find_gpus

RELEASE_S = 15.0
"""How long a job that runs is waited for before the set-up stops short of moving the engine."""

LOOK, INSTALL, ADOPT, REMOVE, CHECK = "look", "install", "adopt", "remove", "check"


class SetupPage(QDialog):
    """One dialog for setting up, repairing, switching and removing the engine; it goes on when closed."""

    engine_changed = pyqtSignal(str)
    """The engine is another one now; the text is the setting that names its Python, empty for the plugin's own."""

    def __init__(self, release: Callable[[], bool], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("setupPage")
        self.setWindowTitle(self.tr("Set up engine"))
        self.form = SetupForm(self)
        self.resize(620, 560)
        self._release = release
        self._task: Optional[SetupTask] = None
        self._doing = ""
        self._choice: Optional[Choice] = None
        self._setup = self._make_setup()
        self._lines: List[str] = []
        self.requirements = read_requirements()
        self.optional = read_requirements("requirements-fast.txt")
        self.ask_folder = lambda title: QFileDialog.getExistingDirectory(self, title)
        self.ask_file = lambda title: QFileDialog.getOpenFileName(self, title)[0]
        self.confirm = self._ask
        self.find_gpus = find_gpus
        self._connect()
        self._show_plan()

    def _connect(self) -> None:
        form = self.form
        form.deviceComboBox.activated.connect(self._show_plan)
        form.packageIndexCheckBox.toggled.connect(self._show_plan)
        form.setUpButton.clicked.connect(self.set_up)
        form.cancelButton.clicked.connect(self.cancel)
        form.removeButton.clicked.connect(self.remove)
        form.checkButton.clicked.connect(self.check)
        form.bundleButton.clicked.connect(self.install_from_folder)
        form.adoptButton.clicked.connect(self.adopt)
        form.folderButton.clicked.connect(self.change_folder)
        form.pythonButton.clicked.connect(self.change_python)
        form.reportButton.clicked.connect(self.copy_report)
        form.helpButton.clicked.connect(lambda: HelpDialog("engine_setup", self).show())
        form.closeButton.clicked.connect(self.close)

    @property
    def is_running(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    def open(self) -> None:
        """Show the dialog and look for a GPU if that was not done yet."""
        self._mend()
        self.show()
        self.raise_()
        self.activateWindow()
        if self._choice is None and not self.is_running:
            self._start(LOOK, self.tr("Looking for a GPU"), self.find_gpus)

    def _mend(self) -> None:
        """Bring back an engine whose replacement was cut off, by a crash for instance."""
        before = os.path.isdir(self._setup.path(ENGINE))
        if self.is_running:
            return
        try:
            self._setup.mend()
        except (SetupFailed, OSError) as error:
            log(str(error), WARNING)
        if os.path.isdir(self._setup.path(ENGINE)) and not before:
            self.engine_changed.emit(load_setting("engine_python"))
            self._show_plan()

    def close_down(self) -> None:
        """Stop what is under way and tell nobody; the dialog is about to be deleted."""
        if self._task is not None:
            self._task.told.disconnect(self._on_told)
            self._task.ended.disconnect(self._on_ended)
            self._task.cancel()
            self._task = None

    # What is planned

    def plan(self, wheels: str = "") -> Plan:
        """What the dialog shows at this moment."""
        build = self.build()
        own_index = self.form.packageIndexCheckBox.isChecked()
        python = load_setting("setup_python") or qgis_python()
        index = None if own_index or wheels else pytorch_index(build)
        return Plan(engine_root(), build, self.requirements, python, index, wheels, self.optional)

    def build(self) -> Build:
        """The build chosen in the list."""
        return build_named(self.form.deviceComboBox.currentData() or "cpu")

    def _make_setup(self) -> EngineSetup:
        return EngineSetup(engine_root(), before_swap=self._let_go)

    def _let_go(self) -> None:
        """End idle workers, whose environment is about to be moved; short jobs are waited for. On the task's thread."""
        end = time.monotonic() + RELEASE_S
        while not self._release():
            if time.monotonic() > end:
                raise SetupFailed("busy", folder=engine_root())
            time.sleep(0.3)

    def _offer_builds(self, choice: Choice) -> None:
        combo = self.form.deviceComboBox
        combo.clear()
        for build in choice.possible:
            text = self.tr("{title} (recommended)") if build is choice.build else "{title}"
            combo.addItem(text.format(title=build.title), build.name)
        combo.setCurrentIndex(max(0, combo.findData(choice.build.name)))

    def _show_plan(self, *_: Any) -> None:
        """Show what would be done, and what there is."""
        plan, state, form = self.plan(), self._setup.state(), self.form
        faster = [name_of(line) for line in plan.optional] if plan.build.device == "cpu" else []
        form.whatLabel.setText(", ".join([*(line.replace("==", " ") for line in plan.requirements), *faster]))
        form.folderLabel.setText(os.path.join(plan.root, ENGINE))
        text = self.tr("about {download} to download, {disk} on disk; {free} are free")
        sizes = {"download": size_text(plan.build.download_mb), "disk": size_text(plan.build.disk_mb)}
        form.sizeLabel.setText(text.format(free=size_text(free_bytes(plan.root) / MB), **sizes))
        form.deviceLabel.setText(self._choice.sentence if self._choice else self.tr("Looking for a GPU…"))
        form.pythonLabel.setText(plan.python or self.tr("QGIS's own Python was not found; choose one"))
        form.stateLabel.setText(self._told_state(state))
        installed = state.get("installed") or {}
        there = os.path.isdir(self._setup.path(ENGINE))
        begun = state["done"] and os.path.isdir(self._setup.path(NEW)) and state.get("plan") == plan.fingerprint()
        if begun:
            name = self.tr("Go on")
        elif there and self._is_outdated(state):
            name = self.tr("Update")
        elif there and installed.get("build") == plan.build.name:
            name = self.tr("Repair")
        elif there:
            name = self.tr("Switch to {title}").format(title=plan.build.title)
        else:
            name = self.tr("Set up engine")
        form.setUpButton.setText(name)
        form.allow(not self.is_running or self._doing == LOOK, self.is_running, there, self._choice is not None)

    def _is_outdated(self, state: Any) -> bool:
        return list((state.get("installed") or {}).get("requirements") or []) != list(self.requirements)

    def _told_state(self, state: Any) -> str:
        named = os.environ.get("HAZARD_ENGINE_PYTHON")
        if named:
            text = self.tr(
                "In use is '{path}', which the variable HAZARD_ENGINE_PYTHON names; unset it to use another."
            )
            return text.format(path=named)
        named = load_setting("engine_python")
        if named:
            return self.tr("In use is '{path}', which was chosen; setting up replaces that choice.").format(path=named)
        if os.path.isdir(self._setup.path(ENGINE)):
            proof = (state.get("installed") or {}).get("proof") or {}
            versions = proof.get("versions") or {}
            text = self.tr("Ready: PyTorch {torch} on {device}, GDAL {gdal}.")
            said = text.format(torch=versions.get("torch"), gdal=versions.get("gdal"), device=proof.get("device_name"))
            return f"{said} {self.tr('This plugin wants other versions.')}" if self._is_outdated(state) else said
        failure = state.get("failure") or {}
        if failure:
            return self.tr("The last try failed: {sentence}").format(sentence=failure.get("sentence"))
        if os.path.isdir(self._setup.path(NEW)):
            return self.tr("The set-up was not finished; it can go on where it stopped.")
        return self.tr("No engine is installed yet.")

    # What can be done

    def set_up(self, *_: Any) -> None:
        """Install, repair, switch or go on."""
        self._install(self.plan())

    def install_from_folder(self, *_: Any) -> None:
        """Install from a bundle that was made on another computer."""
        folder = self.ask_folder(self.tr("Folder made with python -m engine.bundle"))
        if not folder:
            return
        try:
            build = build_named(read_bundle(folder)["build"])
        except SetupFailed as error:
            self._show_error(str(error))
            return
        except KeyError as error:
            self._show_error(str(SetupFailed("bundle", f"build {error}")))
            return
        plan = self.plan(folder)
        self._install(plan.for_build(build, None))

    def _install(self, plan: Plan) -> None:
        self._setup = setup = self._make_setup()
        title = self.tr("Setting up the engine")
        self._start(INSTALL, title, lambda progress, is_cancelled: setup.install(plan, progress, is_cancelled))

    def adopt(self, *_: Any) -> None:
        """Use a Python that is there already, after the same proof."""
        path = self.ask_file(self.tr("Python that has PyTorch and GDAL"))
        if not path:
            return
        setup = self._setup
        title = self.tr("Proving a Python")

        def prove(progress: Any, is_cancelled: Any) -> Any:
            return {**setup.prove(path, "auto", progress, is_cancelled), "path": path}

        self._start(ADOPT, title, prove)

    def check(self, *_: Any) -> None:
        """Prove the engine in place again, and compare its packages with those that were installed."""
        setup = self._setup
        device = (setup.state().get("installed") or {}).get("device") or "auto"

        def prove(progress: Any, is_cancelled: Any) -> Any:
            return {**setup.prove(setup.python, device, progress, is_cancelled), "changed": setup.changed()}

        self._start(CHECK, self.tr("Proving the engine"), prove)

    def remove(self, *_: Any) -> None:
        """Take the engine away, once the user agreed."""
        question = self.tr("Remove the engine and all its packages from '{folder}'?")
        if self.confirm(question.format(folder=engine_root())):
            self._start(REMOVE, self.tr("Removing the engine"), self._setup.remove)

    def cancel(self, *_: Any) -> None:
        """Stop what is under way; what was downloaded stays for the next try."""
        if self._task is not None:
            self.form.cancelButton.setEnabled(False)
            self.form.stepLabel.setText(self.tr("Cancelling…"))
            self._task.cancel()

    def change_folder(self, *_: Any) -> None:
        """Choose another folder; what was set up elsewhere stays there."""
        folder = self.ask_folder(self.tr("Folder for the engine"))
        if folder:
            inside = os.path.realpath(folder) + os.sep
            if inside.startswith(os.path.realpath(PACKAGE_FOLDER) + os.sep):
                self._show_error(self.tr("Choose a folder outside the plugin, which an update replaces."))
                return
            save_setting("engine_folder", os.path.join(folder, "hazard_mapper"))
            self._setup = self._make_setup()
            self._show_plan()

    def change_python(self, *_: Any) -> None:
        """Choose the Python from which the environment is made."""
        path = self.ask_file(self.tr("Python 3.10 or later that has GDAL"))
        if path:
            save_setting("setup_python", path)
            self._show_plan()

    def copy_report(self, *_: Any) -> None:
        """Put the report on the clipboard and show it."""
        report = make_report(self._setup.state(), self.plan(), self._setup.lines or self._lines)
        QgsApplication.clipboard().setText(report)
        self.form.detailsView.setPlainText(report)
        self.form.show_details(True)
        self.form.stepLabel.setText(self.tr("The report is on the clipboard, without names, addresses and secrets."))

    # How it goes

    def _start(self, doing: str, title: str, work: Work) -> None:
        if self._task is not None and self._doing == LOOK:
            self.close_down()
        if self._task is not None:
            return
        self._doing = doing
        self._lines = []
        self._task = task = SetupTask(title, work)
        task.told.connect(self._on_told)
        task.ended.connect(self._on_ended)
        self.form.begin(title if doing != LOOK else "")
        self._show_plan()
        QgsApplication.taskManager().addTask(task)

    def _on_told(self, step: str, share: float, line: str) -> None:
        if self._task is None or self._doing == LOOK or self._task.isCanceled():
            return
        if line:
            self._lines.append(line)
            self.form.detailsView.appendPlainText(line)
        self.form.show_progress(step, share, line)

    def _on_ended(self, result: Any, error: Optional[protocol.HazardError]) -> None:
        doing, self._doing, self._task = self._doing, "", None
        if doing == LOOK:
            self._choice = choose_build(result or [], this_system(), this_machine())
            self._offer_builds(self._choice)
        self.form.end()
        if isinstance(error, protocol.Cancelled) and doing != LOOK:
            self.form.stepLabel.setText(self.tr("Cancelled; what was downloaded is kept, and the next try goes on."))
        elif error is not None and doing != LOOK:
            self._show_error(str(error))
        elif doing in (INSTALL, ADOPT):
            self._on_engine(result, str(result.get("path", "")) if doing == ADOPT else "")
        elif doing == REMOVE:
            self.form.stepLabel.setText(self.tr("The engine was removed."))
            self.engine_changed.emit(load_setting("engine_python"))
        elif doing == CHECK:
            self.form.stepLabel.setText(
                self.tr("The engine works, but its packages were changed since; repair it to be sure.")
                if result.get("changed")
                else self.tr("The engine works ({device}), and its packages are those that were installed.").format(
                    device=result.get("device")
                )
            )
        self._show_plan()

    def _on_engine(self, proof: Any, path: str) -> None:
        save_setting("engine_python", path)
        text = self.tr("The engine is ready and proven on {device}; Hazard Mapper can be used.")
        said = text.format(device=proof.get("device"))
        self.form.stepLabel.setText(said)
        log(said, INFO)
        self.engine_changed.emit(path)

    def _show_error(self, sentence: str) -> None:
        self.form.stepLabel.setText(sentence)
        log(sentence, WARNING)

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        return QMessageBox.question(self, self.windowTitle(), question) == yes


def free_bytes(folder: str) -> int:
    """Free space on the disk of a folder, which need not be there yet."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
