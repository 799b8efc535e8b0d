"""The network in ONNX Runtime, by way of an ONNX file, in single precision."""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from .base import Exportable

TRACED_PX = 64
OPSET = 17
MODEL = "model.onnx"


def export(network: nn.Module, planes: int) -> dict[str, bytes]:
    """The network as a file, for windows of any size."""
    sides = {0: "windows", 2: "height", 3: "width"}
    with tempfile.TemporaryDirectory(prefix="hazard-export-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package is the older one
        path = Path(folder) / MODEL
        # The exporter folds constants as if weights lay in the usual order in memory.
        plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        with torch.no_grad():
            torch.onnx.export(
                Exportable(plain),
                (torch.zeros((1, planes, TRACED_PX, TRACED_PX)),),
                str(path),
                dynamo=False,
                opset_version=OPSET,
                input_names=["planes"],
                output_names=["logits"],
                dynamic_axes={"planes": sides, "logits": sides},
            )
        return {MODEL: path.read_bytes()}


class OnnxRuntimeBackend:
    """An exported network as a session on the processor."""

    name = "onnxruntime"
    channels_last = False

    def __init__(self, files: Mapping[str, bytes]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the next window is being read
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(files[MODEL], options, providers=["CPUExecutionProvider"])

    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w)."""
        return torch.from_numpy(self._session.run(["logits"], {"planes": planes.contiguous().numpy()})[0])

    def let_go(self) -> None:
        """Nothing of a session can be given back."""
