"""The algorithm ``hazardmapper:trainhazard``: hazard heads from a model or from scratch, on simulated or own data."""

from typing import Any, Dict, List, Optional

from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..models import local_model_names
from .base import with_help
from .learning import LearningAlgorithm

ADVANCED = (
    "ARCHITECTURE",
    "ENCODER",
    "POSITIVE",
    "IGNORE",
    "BANDS",
    "UNITS",
    "GSD_M",
    "REPLAY",
    "LEAVE_OUT",
    "BEFORE",
    "BEFORE_BANDS",
    "BEFORE_UNITS",
    "ALSO",
)


class TrainHazard(LearningAlgorithm):
    """Train a model for hazards, new ones by name included."""

    kind = "train"
    job_type = protocol.TrainJob

    def name(self) -> str:
        """Id within the provider."""
        return "trainhazard"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Train hazard")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("train,learn,network,deep learning,flood,landslide,glacier,hazard,labels,fine-tune").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Trains a model to find hazards, on simulated scenes or on your own labelled images.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Trains a model to find hazards: from a model that exists, which is best, or from scratch.\n\n"
            "The data are simulated scenes, or a folder: pairs of images and label rasters (images and labels in two "
            "folders, or scene.tif beside scene_label.tif), Sen1Floods11, or Landslide4Sense. HAZARD names what the "
            "labels show; a name that the model does not know yet becomes a new hazard of it. With your own data, a "
            "share of simulated scenes (REPLAY) keeps the model's other hazards.\n\n"
            "The log shows losses and scores as the run goes on. Cancel keeps a checkpoint: run again with the same "
            "settings and RESUME to go on. The weights that did best in validation are saved, with a card that tells "
            "data, licences, seeds, curves and scores. Scores on your validation chips say little about other places: "
            "check the model on a scene that it never saw."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        self.add_data(
            tr("Training data (empty: simulated scenes)"),
            tr("a folder of image and label pairs, Sen1Floods11 or Landslide4Sense; simulated scenes when empty"),
        )
        self.add_text("HAZARD", tr("Hazards that the labels show, separated by commas"), ["", *protocol.HAZARDS])
        self.add_text("MODEL", tr("Start from model (empty: from scratch)"), ["", *local_model_names()])
        self.add_run()
        self.add_text("ARCHITECTURE", tr("Network (empty: the start's own, else U-Net)"), list(protocol.ARCHITECTURES))
        self.add_text("ENCODER", tr("Encoder, from scratch only (empty: a small one)"))
        self.add_text("POSITIVE", tr("Label codes that mean hazard"))
        self.add_text("IGNORE", tr("Label codes to leave out"))
        self.add_text("BANDS", tr("Bands: one slot a band of each image, in order (empty: found out)"))
        self.add_text("UNITS", tr("Units of the images (empty: found out)"), ["", *protocol.UNITS])
        self.add_number("GSD_M", tr("Ground sampling distance in metres (empty: from the CRS)"), whole=False)
        self.add_number("REPLAY", tr("Share of simulated chips among yours (0 to 0.95)"), whole=False)
        self.add_text("LEAVE_OUT", tr("Simulated hazard never to be seen"), ["", *protocol.HAZARDS])
        self.add_switch("BEFORE", tr("Teach what is new since a scene from before"))
        self.add_text("BEFORE_BANDS", tr("Bands of the scenes from before, in order (empty: found out)"))
        self.add_text("BEFORE_UNITS", tr("Units of the scenes from before (empty: found out)"), ["", *protocol.UNITS])
        self.add_text("ALSO", tr("More models that what is new is taught to fit, separated by commas"))
        self.mark_advanced(ADVANCED)
        text = tr("{slots}, or - for unused").format(slots=", ".join(protocol.SLOTS))
        for name in ("BANDS", "BEFORE_BANDS"):
            with_help(self.parameterDefinition(name), text)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("TrainHazard", text)
