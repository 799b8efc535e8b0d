"""What the ways of adapting to a scene are called, and what each does."""

from qgis.PyQt.QtCore import QCoreApplication


def mode_title(mode: str) -> str:
    """Name of a mode for people."""
    titles = {
        "constraint": tr("constraint"),
        "adversarial": tr("adversarial"),
        "literal": tr("literal"),
        "statistics": tr("statistics only"),
    }
    return titles.get(mode, mode)


def mode_help(mode: str) -> str:
    """What a mode does, in a sentence without its full stop."""
    texts = {
        "constraint": tr(
            "recommended: learns hazards from the scene's own confident pixels while it must still tell natural from "
            "artificial ground as before"
        ),
        "adversarial": tr("learns features by which natural and artificial ground are hard to tell apart"),
        "literal": tr(
            "rewards mistaking natural for artificial ground, as the paper's formula reads; limited, unstable"
        ),
        "statistics": tr("learns nothing by gradients, only the scene's statistics and the threshold; quickest"),
    }
    return texts.get(mode, "")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("AdaptationModes", text)
