"""Draws losses and validation scores of a training run while it goes on; colours follow the theme."""

from typing import Any, List, Mapping, Optional, Tuple

from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import (
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
)
from qgis.PyQt.QtWidgets import QApplication, QMenu, QSizePolicy, QToolTip, QWidget

from .curves import ADAPTING_LOSSES, Curves, nearest_step, round_up, ticks
from .engine_feedback import VALIDATION, metric_title

ON_LIGHT = ("#0072b2", "#d55e00", "#00785a", "#a0457e", "#7a5c00")
ON_DARK = ("#56b4e9", "#e69f00", "#2fcf9f", "#e58fc0", "#f0e442")
"""Colours that people with any colour vision tell apart; dashes tell validation from training as well."""

PANEL_LINES = 7
"""Height of one of the two panels, in lines of text."""


class CurvesWidget(QWidget):
    """Two panels above one another with a common axis of steps: losses, and scores from 0 to 1."""

    panel_lines = PANEL_LINES

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.curves = Curves()
        self._cursor: Optional[float] = None
        self._plots: List[QRectF] = []
        self.setObjectName("curvesWidget")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.name_of_curves())
        self._describe()

    # What differs between a training and an adaptation

    def name_of_curves(self) -> str:
        """What is drawn, for those who cannot see it."""
        return self.tr("Curves of the training run")

    def nothing(self) -> str:
        """What will be drawn here."""
        return self.tr("Losses and validation scores are drawn here while a model is trained")

    def title_of_scores(self) -> str:
        """Title of the lower panel."""
        return self.tr("Validation score")

    def hints(self) -> Tuple[str, str]:
        """When the upper and the lower panel get their curves."""
        return self.tr("drawn while a model is trained"), self.tr("drawn after each validation")

    def top_of_scores(self) -> float:
        """Upper end of the axis of the lower panel."""
        return 1.0

    def sizeHint(self) -> QSize:
        """Room for both panels with their legends."""
        line = self.fontMetrics().lineSpacing()
        return QSize(30 * line // 2, 2 * (self.panel_lines + 2) * line + line)

    def minimumSizeHint(self) -> QSize:
        """As high as wanted, and narrow enough for a narrow dock."""
        return QSize(10 * self.fontMetrics().lineSpacing(), self.sizeHint().height())

    def clear(self) -> None:
        """Show no curves."""
        self.curves.clear()
        self._cursor = None
        self._describe()

    def add_point(self, step: int, values: Mapping[str, float]) -> None:
        """Take the values of one step."""
        self.curves.add(step, values)
        self._describe()

    def show_curves(self, curves: Curves) -> None:
        """Show curves that are complete."""
        self.curves = curves
        self._cursor = None
        self._describe()

    def _describe(self) -> None:
        latest = self.curves.at(self.curves.last_step())
        values = ", ".join(f"{metric_title(name)} {value:.4g}" for name, (_, value) in latest.items())
        self.setAccessibleDescription(values or self.nothing())
        self.setToolTip("" if values else self.nothing())
        self.update()

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both panels, and the values under the cursor."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Base))
        line = self.fontMetrics().lineSpacing()
        labels = self.fontMetrics().horizontalAdvance("0.000") + line // 2
        height = (self.height() - 1.3 * line) / 2
        panels = (
            (self.tr("Loss"), self.curves.losses(), round_up(self.curves.top_of_losses())),
            (self.title_of_scores(), self.curves.scores(), self.top_of_scores()),
        )
        self._plots = []
        for index, (title, names, top) in enumerate(panels):
            area = QRectF(line // 2, index * height + line // 4, self.width() - line, height - line // 4)
            legend = self._draw_legend(painter, area, title, names)
            plot = area.adjusted(labels, legend + line / 2, -line / 4, -line / 3)
            self._plots.append(plot)
            if not names:
                self._draw_hint(painter, plot, index)
                continue
            self._draw_axes(painter, plot, top, index == 1)
            for order, name in enumerate(names):
                self._draw_curve(painter, plot, name, top, order)
        self._draw_cursor(painter, [top for _, _, top in panels], [names for _, names, _ in panels])
        if self.hasFocus():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _colour(self, order: int) -> QColor:
        dark = self.palette().color(QPalette.ColorRole.Base).lightness() < 128
        colours = ON_DARK if dark else ON_LIGHT
        return QColor(colours[order % len(colours)])

    def _text_colour(self, faint: bool = False) -> QColor:
        colour = QColor(self.palette().color(QPalette.ColorRole.Text))
        colour.setAlphaF(0.65 if faint else 1.0)
        return colour

    def _pen(self, name: str, order: int) -> QPen:
        pen = QPen(self._colour(order), max(1.5, self.fontMetrics().lineSpacing() / 10))
        if name.startswith(VALIDATION) and name in self.curves.losses():
            pen.setStyle(Qt.PenStyle.DashLine)
        return pen

    def _draw_legend(self, painter: QPainter, area: QRectF, title: str, names: List[str]) -> float:
        """Title, then a line, name and last value of each curve, wrapped where narrow; returns the height."""
        metrics = self.fontMetrics()
        line, sample = metrics.lineSpacing(), 1.4 * metrics.lineSpacing()
        bold = painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(self._text_colour())
        painter.drawText(QPointF(area.left(), area.top() + metrics.ascent()), title)
        x, y = area.left() + painter.fontMetrics().horizontalAdvance(title) + line, area.top()
        painter.setFont(self.font())
        for order, name in enumerate(names):
            points = self.curves.points(name)
            text = f"{short_title(name)} {points[-1][1]:.3g}" if points else short_title(name)
            width = sample + line / 3 + metrics.horizontalAdvance(text)
            if x + width > area.right() and x > area.left():
                x, y = area.left(), y + line
            painter.setPen(self._pen(name, order))
            painter.drawLine(QPointF(x, y + line / 2), QPointF(x + sample, y + line / 2))
            painter.setPen(self._text_colour())
            painter.drawText(QPointF(x + sample + line / 3, y + metrics.ascent()), text)
            x += width + line
        return float(y + line - area.top())

    def _draw_axes(self, painter: QPainter, plot: QRectF, top: float, with_steps: bool) -> None:
        metrics = self.fontMetrics()
        grid = self._text_colour()
        grid.setAlphaF(0.18)
        for value in ticks(0.0, top, 4 if plot.height() > 5 * metrics.lineSpacing() else 2):
            y = plot.bottom() - value / top * plot.height()
            painter.setPen(QPen(grid, 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(self._text_colour(faint=True))
            text = f"{value:g}"
            left = plot.left() - metrics.horizontalAdvance(text) - metrics.lineSpacing() / 3
            painter.drawText(QPointF(left, y + metrics.ascent() / 2 - 1), text)
        if not with_steps:
            return
        last = self._last_step()
        room = max(1, int(plot.width() / (metrics.horizontalAdvance("000 000") * 1.8)))
        baseline = plot.bottom() + metrics.lineSpacing() * 1.1
        painter.setPen(self._text_colour(faint=True))
        for step in ticks(0.0, last, min(room, 6)):
            text = f"{step:,.0f}".replace(",", " ") if step else self.tr("step 0")
            width = metrics.horizontalAdvance(text)
            x = plot.left() + step / last * plot.width() - width / 2
            painter.drawText(QPointF(min(max(x, plot.left() - width / 2), self.width() - width - 2), baseline), text)

    def _draw_curve(self, painter: QPainter, plot: QRectF, name: str, top: float, order: int) -> None:
        points = QPolygonF([self._place(plot, point, top) for point in self.curves.points(name)])
        painter.save()
        painter.setClipRect(plot.adjusted(-2, -2, 2, 2))
        painter.setPen(self._pen(name, order))
        painter.drawPolyline(points)
        if name.startswith(VALIDATION) and len(points) <= 40:
            painter.setBrush(self._colour(order))
            painter.setPen(Qt.PenStyle.NoPen)
            radius = self.fontMetrics().lineSpacing() / 7
            for point in points:
                painter.drawEllipse(point, radius, radius)
        painter.restore()

    def _draw_hint(self, painter: QPainter, plot: QRectF, index: int) -> None:
        painter.setPen(self._text_colour(faint=True))
        painter.drawText(plot, int(Qt.AlignmentFlag.AlignCenter), self.hints()[index])

    def _draw_cursor(self, painter: QPainter, tops: List[float], names: List[List[str]]) -> None:
        if self._cursor is None or not self.curves.names:
            return
        nearest = self.curves.at(self._cursor)
        for plot, top, shown in zip(self._plots, tops, names):  # noqa: B905 (one entry a panel in all three)
            x = plot.left() + self._cursor / self._last_step() * plot.width()
            painter.setPen(QPen(self._text_colour(faint=True), 1))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            for order, name in enumerate(shown):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._colour(order))
                radius = self.fontMetrics().lineSpacing() / 5
                painter.drawEllipse(self._place(plot, nearest[name], top), radius, radius)

    def _last_step(self) -> float:
        return max(self.curves.last_step(), 1.0)

    def _place(self, plot: QRectF, point: Tuple[float, float], top: float) -> QPointF:
        step, value = point
        x = plot.left() + step / self._last_step() * plot.width()
        return QPointF(x, plot.bottom() - min(max(value / top, 0.0), 1.0) * plot.height())

    # Values

    def values_text(self, step: float) -> str:
        """What was measured at a step, a line a curve; each names its own step where it has another."""
        lines = [self.tr("Step {step:.0f}").format(step=step)]
        for name, (at, value) in self.curves.at(step).items():
            where = "" if at == step else " " + self.tr("(step {step:.0f})").format(step=at)
            lines.append(f"{metric_title(name)}: {value:.4g}{where}")
        return "\n".join(lines)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the values at the nearest step."""
        plot = self._plots[0] if self._plots else QRectF()
        if not self.curves.names or plot.width() <= 0:
            return
        share = (event.pos().x() - plot.left()) / plot.width()
        self._cursor = nearest_step(self.curves.steps(), share * self._last_step())
        if self._cursor is not None:
            QToolTip.showText(self.mapToGlobal(event.pos()), self.values_text(self._cursor), self)
        self.update()

    def leaveEvent(self, event: Any) -> None:
        """Take the cursor away."""
        self._cursor = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right walk along the steps."""
        steps = self.curves.steps()
        if event.key() not in (Qt.Key.Key_Left, Qt.Key.Key_Right) or not steps or not self._plots:
            super().keyPressEvent(event)
            return
        if self._cursor is None:
            self._cursor = steps[-1]
        else:
            way = 1 if event.key() == Qt.Key.Key_Right else -1
            at = steps.index(nearest_step(steps, self._cursor)) + way
            self._cursor = steps[min(max(at, 0), len(steps) - 1)]
        plot = self._plots[0]
        place = QPointF(plot.left() + self._cursor / self._last_step() * plot.width(), plot.center().y())
        QToolTip.showText(self.mapToGlobal(place.toPoint()), self.values_text(self._cursor), self)
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the values for a spreadsheet."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = menu.addAction(self.tr("Copy values"))
        copy.setEnabled(bool(self.curves.names))
        copy.triggered.connect(self.copy_values)
        menu.popup(event.globalPos())

    def copy_values(self) -> None:
        """Put the values on the clipboard as tab-separated text."""
        QApplication.clipboard().setText(self.curves.as_table())


def short_title(name: str) -> str:
    """Name of a curve in the legend of its panel."""
    if name == "loss":
        return QApplication.translate("CurvesWidget", "training")
    if name == "validation_loss":
        return QApplication.translate("CurvesWidget", "validation")
    if name in ADAPTING_LOSSES:
        return metric_title(name).replace(QApplication.translate("CurvesWidget", " loss"), "")
    return metric_title(name).replace(QApplication.translate("CurvesWidget", "validation "), "", 1)
