"""Rows of a form that come and go without leaving gaps."""

from typing import List, Set, Tuple

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtWidgets import QFormLayout, QLabel, QWidget


def rows_of(form: QFormLayout) -> List[Tuple[QLabel, QWidget]]:
    """Labels and fields of a form, from top to bottom; rows without a label are left out."""
    roles = (QFormLayout.ItemRole.LabelRole, QFormLayout.ItemRole.FieldRole)
    items = [[form.itemAt(row, role) for role in roles] for row in range(form.rowCount())]
    return [(label.widget(), field.widget()) for label, field in items if label is not None and field is not None]


def show_rows(form: QFormLayout, rows: List[Tuple[QLabel, QWidget]], hidden: Set[QWidget], store: QWidget) -> None:
    """Lay out the rows that are not hidden, in their order, above those without a label.

    Hidden ones go to ``store``, which is never seen: in the form they would leave a gap, and a group that unfolds would
    show them.
    """
    home = form.parentWidget()
    folded = isinstance(home, QgsCollapsibleGroupBox) and home.isCollapsed()
    for label, field in rows:
        if form.indexOf(field) >= 0:
            form.takeRow(field)
        label.setParent(store)
        field.setParent(store)
    for index, (label, field) in enumerate(row for row in rows if row[1] not in hidden):
        form.insertRow(index, label, field)
        label.setVisible(not folded)
        field.setVisible(not folded)
