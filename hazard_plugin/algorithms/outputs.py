"""Checks outputs before a run and names and styles their layers after it."""

import contextlib
import re
from typing import Any, Collection, Dict, Iterator, List, Mapping, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsProviderRegistry,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..hazards import dress_layer
from ..layer_origin import remember_origin, write_history


@contextlib.contextmanager
def told_to_processing() -> Iterator[None]:
    """Turn what the user is to be told into the exception that Processing shows as it is."""
    try:
        yield
    except protocol.HazardError as error:
        raise QgsProcessingException(str(error)) from None
    except OSError as error:
        raise QgsProcessingException(
            tr("A file cannot be used ({error}); check the folder and the free disk space.").format(error=error)
        ) from None


def flags_as_parameters(sentence: str, names: Collection[str]) -> str:
    """The engine's sentence with parameters in place of a job's flags: ``--batch-size`` is BATCH_SIZE.

    Flags of other programs, in commands that a sentence tells to type, stay as they are.
    """

    def told(flag: "re.Match[str]") -> str:
        name = flag.group(1).replace("-", "_")
        return name.upper() if name in names else flag.group()

    return re.sub(r"--([a-z][a-z-]*)", told, sentence)


@contextlib.contextmanager
def naming_parameters(names: Collection[str]) -> Iterator[None]:
    """Say in terms of parameters what the engine says in terms of flags; see ``flags_as_parameters``."""
    try:
        yield
    except protocol.HazardError as error:
        raise type(error)(flags_as_parameters(str(error), names)) from None


class ResultDresser(QgsProcessingLayerPostProcessorInterface):
    """Names and styles a result that Processing loads; Processing keeps no reference, so this class does."""

    alive: "List[ResultDresser]" = []

    def __init__(self, kind: str, hazard: str, name: str, origin: Mapping[str, str]) -> None:
        super().__init__()
        self.kind, self.hazard, self.name, self.origin = kind, hazard, name, origin
        self.history: Mapping[str, Any] = {}
        ResultDresser.alive = [*ResultDresser.alive[-63:], self]

    def postProcessLayer(self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Dress the layer once it is in the project."""
        if isinstance(layer, QgsRasterLayer):
            dress_layer(layer, self.kind, self.hazard, self.name, is_new=bool(self.origin.get("before")))
            remember_origin(layer, self.kind, **{**self.origin, "hazard": self.hazard})
            if self.history:
                write_history(layer, self.history)


def dress_on_load(
    context: QgsProcessingContext,
    path: str,
    kind: str,
    hazard: str,
    name: str,
    origin: Optional[Mapping[str, str]] = None,
) -> List[ResultDresser]:
    """Have Processing name and style an output if it is going to load it; ``origin`` is what the layer remembers.

    Returns the dresser, which may be told the layer's history while the algorithm runs; none where it is not loaded.
    """
    if not path or not context.willLoadLayerOnCompletion(path):
        return []
    details = context.layerToLoadOnCompletionDetails(path)
    details.name = name
    dresser = ResultDresser(kind, hazard, name, origin or {})
    details.setPostProcessor(dresser)
    return [dresser]


def require_free(path: str, project: QgsProject) -> None:
    """Raise OutputFailed if a layer of the open project shows this file."""
    if project is None or not path:
        return
    registry = QgsProviderRegistry.instance()
    for layer in project.mapLayers().values():
        source = registry.decodeUri(layer.providerType(), layer.source()).get("path") or layer.source()
        if source and protocol.same_path(str(source), path):
            raise protocol.OutputFailed(
                tr(
                    "The output '{path}' is shown by the layer '{layer}' of the open project; "
                    "choose another name or remove that layer first."
                ).format(path=path, layer=layer.name())
            )


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Outputs", text)


def found_by_engine(result: Mapping[str, Any]) -> Dict[str, Any]:
    """Outputs that say what a run found and what computed it, whole or in part."""
    return {
        "HAZARD_AREA_M2": result.get("hazard_area_m2"),
        "SHARE_ASSESSED": result.get("share_assessed"),
        "DEVICE_USED": result.get("device"),
        "MODEL_USED": result.get("model"),
        "THRESHOLD_USED": result.get("threshold"),
        "SCENE_SHA256": result.get("scene_sha256") or "",
        "MODEL_SHA256": result.get("model_sha256") or "",
    }
