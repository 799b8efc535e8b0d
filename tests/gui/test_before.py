"""The scene from before the event in the dock: what is offered, what is remembered, and what a run then says."""

import numpy as np
import pytest
import support
from pairs import FLOOD, LAKE, write_date
from qgis.core import QgsDateTimeRange, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QDate, QDateTime, QEvent, QPoint, QTime
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QApplication, QDialog, QLabel, QTextBrowser, QWidget
from support import settle, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture
def models_folder(tmp_path, monkeypatch):
    return support.models_folder_of(tmp_path, monkeypatch)


@pytest.fixture
def quick_engine(monkeypatch):
    import hazard_mapper.hazard_plugin.plugin as module

    monkeypatch.setattr(module, "EngineClient", support.pretended_client)
    monkeypatch.setattr(module, "training_client", support.pretended_client)


@pytest.fixture
def add_date(project, qgis_iface, tmp_path):
    """Add one of two dates of a place to the project."""

    def add(name, flooded=False, *, active=False, day="", **options):
        layer = QgsRasterLayer(
            write_date(tmp_path / f"{len(project.mapLayers())}.tif", flooded=flooded, **options), name
        )
        if day:
            give_day(layer, day)
        project.addMapLayer(layer)
        if active:
            make_active(qgis_iface, layer)
        return layer

    return add


def make_active(iface, layer):
    canvas = iface.mapCanvas()
    canvas.setDestinationCrs(layer.crs())
    canvas.setExtent(layer.extent())
    iface.setActiveLayer(layer)
    iface.currentLayerChanged.emit(canvas)


def give_day(layer, day):
    date = QDate.fromString(day, "yyyy-MM-dd")
    properties = layer.temporalProperties()
    properties.setIsActive(True)
    properties.setFixedTemporalRange(QgsDateTimeRange(QDateTime(date, QTime(0, 0)), QDateTime(date, QTime(23, 59))))


def offered(dock):
    combo = dock.ui.beforeComboBox
    texts = [combo.itemText(index) for index in range(combo.count())]
    assert texts[0] == "none (optional)" and not combo.itemData(0)
    return texts[1:]


def choose(dock, layer):
    combo = dock.ui.beforeComboBox
    index = combo.findData(layer.id()) if layer is not None else 0
    assert index >= 0
    combo.setCurrentIndex(index)


def ready(dock):
    assert wait_until(lambda: "bands" in dock.ui.understoodLabel.text() and dock.ui.segmentButton.isEnabled(), 60)


def test_only_overlapping_layers_that_may_be_earlier_are_offered_and_none_is_chosen(
    quick_engine, dock, add_date, project
):
    scene = add_date("Faenza 2024-09-16", True, active=True)
    assert dock.ui.beforeComboBox.isHidden() and dock.ui.beforeLabel.isHidden(), "there is nothing to choose"
    add_date("May 2024-05-01")
    add_date("by its day", day="2024-04-01")
    add_date("S2B_MSIL2A_20240301T100559_N0511_R022_T32TPQ")
    add_date("without a day")
    add_date("June 2025-06-01")
    add_date("the same day 20240916")
    add_date("later by its day", day="2024-09-17")
    add_date("elsewhere 2024-05-01", origin=(520_000.0, 4_900_000.0))
    result = add_date("result 2024-05-01")
    result.setCustomProperty("hazardmapper/kind", "mask")
    dock.before.refresh()
    known = ["May 2024-05-01", "by its day", "S2B_MSIL2A_20240301T100559_N0511_R022_T32TPQ"]
    assert offered(dock) == [*known, "without a day (day not known)"], "the latest first, those of unknown day last"
    assert dock.ui.beforeComboBox.isVisible() and dock.ui.beforeLabel.isVisible()
    assert dock.before.layer() is None and dock.ui.beforeNote.isHidden()
    assert dock.before.parameters(scene, {}) == {"BEFORE": None}


def test_a_day_that_is_given_or_found_later_counts(quick_engine, dock, add_date, qgis_iface):
    scene = add_date("scene", True, active=True, day="2024-09-16")
    names = ["a", "b", "c"]
    layers = {name: add_date(name, date="2025-01-31" if name == "c" else "") for name in names}
    assert offered(dock) == [f"{name} (day not known)" for name in names]
    choose(dock, layers["b"])
    assert dock.ui.beforeNote.text() == "Maps what is new since then; its date is not known."
    give_day(layers["b"], "2024-05-01")
    QApplication.sendEvent(dock.ui.beforeComboBox, QEvent(QEvent.Type.Enter))
    assert offered(dock) == ["b", "a (day not known)", "c (day not known)"] and dock.before.layer() is layers["b"]
    assert dock.ui.beforeNote.text() == "Maps what is new since 2024-05-01, 138 days before."
    layers["a"].setName("a 2024-06-01")
    assert offered(dock) == ["a 2024-06-01", "b", "c (day not known)"]
    make_active(qgis_iface, layers["c"])
    dock.before.show_found({"characteristics": {"date": "2025-01-31"}})
    make_active(qgis_iface, scene)
    assert offered(dock) == ["a 2024-06-01", "b"], "what is known to be later is not offered"


def test_a_layer_in_another_crs_is_offered_where_it_overlaps_on_the_ground(quick_engine, dock, add_date):
    add_date("2024-09-16", True, active=True)
    add_date("same numbers, other zone 2024-05-01", epsg=32632)
    assert offered(dock) == []


def test_the_choice_is_kept_for_each_scene_and_with_the_project_alone(
    quick_engine, dock, add_date, project, qgis_iface
):
    from hazard_mapper.hazard_plugin.settings import load_setting

    scene = add_date("Faenza 2024-09-16", True, active=True)
    earlier = add_date("May 2024-05-01")
    choose(dock, earlier)
    assert dock.choices_touched
    assert dock.ui.beforeNote.text() == "Maps what is new since 2024-05-01, 138 days before."
    make_active(qgis_iface, earlier)
    assert dock.scene() is earlier and dock.before.layer() is None and dock.ui.beforeComboBox.isHidden()
    make_active(qgis_iface, scene)
    assert dock.before.layer() is earlier, "the choice made for this scene"
    path = project.fileName()
    project.write()
    project.clear()
    assert dock.before.layer() is None and not load_setting("last/before")
    assert project.read(path)
    layers = {layer.name(): layer for layer in project.mapLayers().values()}
    dock.ui.layerComboBox.setLayer(layers["Faenza 2024-09-16"])
    assert dock.before.layer() is layers["May 2024-05-01"]
    choose(dock, None)
    assert dock.before.remembered() == {"before": ""} and dock.ui.beforeNote.isHidden()


def test_a_layer_that_goes_is_no_longer_chosen(quick_engine, dock, add_date, project):
    scene = add_date("Faenza 2024-09-16", True, active=True)
    earlier = add_date("May 2024-05-01")
    choose(dock, earlier)
    project.removeMapLayer(earlier.id())
    assert dock.before.parameters(scene, {}) == {"BEFORE": None} and dock.before.remembered() == {"before": ""}
    assert dock.ui.beforeComboBox.isHidden() and dock.ui.beforeNote.isHidden()


def test_corrections_of_the_scene_before_go_along(quick_engine, dock, add_date):
    scene = add_date("Faenza 2024-09-16", True, active=True)
    earlier = add_date("May 2024-05-01")
    choose(dock, earlier)
    told = {earlier.id(): {"bands": "blue,green,red,nir,-,-", "sensor": "", "units": "raw", "gsd_m": None}}
    assert dock.before.parameters(scene, told) == {
        "BEFORE": earlier.id(),
        "BEFORE_BANDS": "blue,green,red,nir,-,-",
        "BEFORE_SENSOR": "",
        "BEFORE_UNITS": "raw",
    }


def test_a_run_says_what_is_new_and_what_was_there(dock, add_date, click, project, picture):
    add_date("Faenza 2024-09-16", True, active=True, date="2024-09-16")
    earlier = add_date("May 2024-05-01", date="2024-05-01")
    ready(dock)
    choose(dock, earlier)
    picture(dock, "dock_before")
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 120)
    (mask,) = [layer for layer in project.mapLayers().values() if layer.customProperty("hazardmapper/kind") == "mask"]
    assert mask.name() == "New flood - Faenza 2024-09-16"
    assert [entry.label for entry in mask.renderer().classes()] == ["None", "New flood", "Water on both dates"]
    codes = support.gdal.Open(mask.source()).ReadAsArray()
    assert (codes[FLOOD] == 1).mean() > 0.8 and (codes[LAKE] == 2).mean() > 0.8
    (text,) = dock.results.texts()
    new, old = ((codes == code).sum() * 100 / 1e6 for code in (1, 2))
    assert f"<b>New flood - Faenza 2024-09-16</b><br>{new:.3g} km² since 2024-05-01; {old:.3g} km² of water was" in text
    picture(dock, "dock_before_result")
    move_threshold(dock, mask, click, picture)
    choose(dock, None)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 120)
    assert "since" not in dock.results.texts()[0] and "<b>Flood - Faenza 2024-09-16</b>" in dock.results.texts()[0]


def move_threshold(dock, mask, click, picture):
    """Cut the mask anew with the slider: water on both dates is drawn meanwhile, and stays."""
    project = QgsProject.instance()
    was = support.gdal.Open(mask.source()).ReadAsArray()

    def drawn():
        return [x for x in project.mapLayers().values() if x.customProperty("hazardmapper/kind") == "estimate"]

    bar = dock.delivery.bar
    dock.delivery.editor.open(mask)
    assert wait_until(lambda: drawn() and bar.area_m2() is not None, 30)
    picture(dock, "dock_threshold_new_flood")
    bar.slider.setValue(95)
    click(bar.apply_button)
    assert wait_until(lambda: bar.isHidden(), 60)
    codes = support.gdal.Open(mask.source()).ReadAsArray()
    assert np.array_equal(codes == 2, was == 2) and (codes == 1).sum() < (was == 1).sum()
    old = (codes == 2).sum() * 100 / 1e6
    assert f"Water on both dates, by the run's own threshold: {old:.3g} km²" in dock.results.texts()[0]
    assert not drawn() and [entry.value for entry in mask.renderer().classes()] == [0, 1, 2]


def test_an_adaptation_from_the_dock_gets_the_scene_before_too(
    models_folder, quick_engine, dock, add_date, click, monkeypatch, picture
):
    add_date("Faenza 2024-09-16", True, active=True)
    earlier = add_date("May", day="2024-05-01")
    ready(dock)
    choose(dock, earlier)
    dock.ui.adaptCheckBox.setChecked(True)
    sent = support.jobs_sent_by(dock.client, monkeypatch)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 60)
    told = [(kind, job.before, job.before_date) for kind, job in sent if kind in ("adapt", "segment")]
    assert told == [(kind, earlier.source(), "2024-05-01") for kind in ("adapt", "segment")]
    dock.results.findChild(QLabel, "resultLabel").linkActivated.emit("stages")
    assert wait_until(lambda: dock.findChild(QDialog, "adaptationDialog") is not None, 3)
    dialog = dock.findChild(QDialog, "adaptationDialog")
    text = dialog.findChild(QTextBrowser).toPlainText()
    assert "Ground that did not change since 2024-05-01 (68 % of the view) was used" in text
    picture(dialog, "stages_before")
    dialog.reject()


def test_nothing_is_cut_off_at_300_pixels(quick_engine, dock, add_date, picture):
    add_date("S2_2024-09-16_a_rather_long_name_of_a_scene_that_does_not_fit", True, active=True)
    earlier = add_date("S2_2024-05-01_a_rather_long_name_of_an_earlier_scene_that_does_not_fit")
    ready(dock)
    choose(dock, earlier)
    dock.setFloating(True)
    dock.resize(300, 1000)
    settle()
    picture(dock, "dock_before_300")
    for widget in dock.ui.findChildren(QWidget):
        if widget.isVisible() and widget.window() is dock.window():
            right = widget.mapTo(dock, QPoint(widget.width(), 0)).x()
            assert right <= 300, f"{widget.objectName() or type(widget).__name__} ends at {right}"


def test_names_of_unknown_day_are_told_whole_on_a_dark_theme(dark_theme, quick_engine, dock, add_date, picture):
    add_date("Faenza 2024-09-16", True, active=True)
    layer = add_date("a_rather_long_name_of_a_scene_of_unknown_day_that_does_not_fit")
    ready(dock)
    choose(dock, layer)
    dock.setFloating(True)
    dock.resize(300, 1000)
    settle()
    picture(dock, "dock_before_300_dark")
    combo = dock.ui.beforeComboBox
    image = combo.grab().toImage()
    assert QColor(image.pixel(image.width() // 2, 4)).lightness() < 100
    combo.showPopup()
    settle()
    picture(combo.view(), "before_list_300_dark")
    assert combo.view().width() >= combo.view().sizeHintForColumn(0)
    combo.hidePopup()


def test_each_scene_of_a_queue_is_compared_where_that_can_be(quick_engine, dock, add_date, project):
    later = add_date("June 2024-06-01", True)
    elsewhere = add_date("elsewhere 2024-09-16", origin=(520_000.0, 4_900_000.0))
    older = add_date("April 2024-04-01")
    add_date("Faenza 2024-09-16", True, active=True)
    earlier = add_date("May 2024-05-01")
    choose(dock, earlier)
    compared = [dock.before.parameters(layer, {})["BEFORE"] for layer in (dock.scene(), later, elsewhere, older)]
    assert compared == [earlier.id(), earlier.id(), None, None]
