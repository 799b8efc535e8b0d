"""The algorithm ``hazardmapper:pretrainmodel``: a network that tells natural from artificial surfaces."""

from typing import Any, Dict, List, Optional

from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from .learning import LearningAlgorithm


class PretrainModel(LearningAlgorithm):
    """Pre-train a network on simulated scenes or on BigEarthNet."""

    kind = "pretrain"
    job_type = protocol.PretrainJob

    def name(self) -> str:
        """Id within the provider."""
        return "pretrainmodel"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Pre-train a model")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("train,learn,network,deep learning,natural,artificial,bigearthnet,foundation model").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Trains a network to tell natural from artificial surfaces, as the start of hazard training.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Trains a network to tell natural from artificial surfaces. Train hazards from it next; used as it is, it "
            "finds hazards only by physical rules on natural ground.\n\n"
            "The data are simulated scenes, or a folder of BigEarthNet (v2 or v1) as downloaded and unpacked. Bands "
            "are dropped at random, so that the model works with any of them.\n\n"
            "The log shows losses and scores as the run goes on. Cancel keeps a checkpoint: run again with the same "
            "settings and RESUME to go on. The weights that did best in validation are saved, with a card that tells "
            "data, licences, seeds, curves and scores."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        self.add_data(
            tr("Training data (empty: simulated scenes)"),
            tr("a folder of BigEarthNet as downloaded and unpacked; simulated scenes when empty"),
        )
        self.add_text("ARCHITECTURE", tr("Network"), list(protocol.ARCHITECTURES))
        self.add_text("ENCODER", tr("Encoder (empty: a small one)"))
        self.add_run()
        self.mark_advanced(["ENCODER"])


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("PretrainModel", text)
