"""Makes a model of weights that came without a card, if the network they need can be built and answers the same."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from .cards import WEIGHTS_LIMIT_BYTES, ModelCard, is_word
from .model import HazardNet, build_network, first_convolution, library_network, save_adapted, shapes_of
from .model_archive import read_header, refuse_code, renamed_errors
from .model_jobs import AdoptWeightsJob
from .model_store import free_name, install, require_fit, staged
from .planes import PLANES, SAR_CENTRE_DB, SAR_SPREAD_DB
from .protocol import SAR_SLOTS, BadInput
from .reporting import Report

Shapes = dict[str, tuple[int, ...]]

DECODER_CHANNELS = (256, 128, 64, 32, 16)
"""The library's own, where the weights do not tell."""
PREFIXES = ("model.", "module.", "net.", "network.", "_orig_mod.")
"""Put before all names by what trained the weights."""
LARGEST_DIFFERENCE = 1e-3
"""Of logits, between the network as it came and as it is kept: rounding only."""
PROBE_PX = 64


def adopt_weights(job: AdoptWeightsJob, report: Report | None = None) -> dict[str, Any]:
    """Write a card for weights of others and install both as a model.

    Weights of this program's own network are taken as they are. Those of a plain network of the library become part of
    one that answers the same: its first convolution takes the planes of its bands, its head becomes ``join`` and
    ``hazard_head``.

    Raises:
        BadInput: the file is no safetensors, the network cannot be built, or the weights do not fit it.
        Cancelled: the report said so; nothing was left behind.
    """
    report = report or Report()
    source = Path(os.path.abspath(os.path.expanduser(job.weights)))
    report.stage("Reading the weights")
    name = free_name(job.name, overwrite=job.overwrite)
    for hazard in job.hazards:
        if not is_word(hazard):
            raise BadInput(f"Hazard '{hazard[:40]}' is not a name; use letters, digits, - and _.")
    shapes = _read_shapes(source)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    report.stage("Building the network", 0.2)
    is_own = "hazard_head.weight" in shapes
    card = _card(job, name, shapes, source.name, digest, is_own=is_own)
    if is_own:
        _require_shapes(shapes, shapes_of(card), job, source)
        weights: Mapping[str, Tensor] = _load(source)
    else:
        _require_shapes(shapes, _plain_shapes(job, card.decoder_channels, source), job, source)
        report.stage("Checking that it answers the same", 0.4)
        weights = _embedded(job, card, _load(source), source)
    report.check()
    report.stage("Installing the model", 0.8)
    with staged(name) as staging, renamed_errors(staging, name):
        save_adapted(weights, card, staging)
        require_fit(card, staging)
        report.check()
        return {**install(staging, name, card), "ignored": [], "warnings": []}


def _read_shapes(source: Path) -> Shapes:
    """Shape of each tensor by its name without what training put before it; the batches counted are left out."""
    if not source.is_file():
        raise BadInput(f"{source} is not there; choose a safetensors file.")
    refuse_code(source)
    if source.stat().st_size > WEIGHTS_LIMIT_BYTES:
        raise BadInput(f"{source} has {source.stat().st_size} bytes, at most {WEIGHTS_LIMIT_BYTES} are allowed.")
    header = read_header(source)
    if not header:
        raise BadInput(f"{source} holds no weights; choose another file.")
    return {name: shape for name, (_, shape) in _bare(header).items() if not name.endswith("num_batches_tracked")}


def _bare(named: Mapping[str, Any]) -> dict[str, Any]:
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in named):
            return _bare({name[len(prefix) :]: value for name, value in named.items()})
    return dict(named)


def _load(source: Path) -> dict[str, Tensor]:
    try:
        tensors = _bare(load_file(source))
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as error:
        raise BadInput(f"{source} is not a sound safetensors file ({str(error)[:80]}); save it again.") from None
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise BadInput(f"Weights '{name[:80]}' of {source.name} are not all finite; they cannot be used.")
    return tensors


def _card(job: AdoptWeightsJob, name: str, shapes: Shapes, file: str, digest: str, *, is_own: bool) -> ModelCard:
    channels = job.decoder_channels or _decoder_channels(shapes)
    thresholds = job.thresholds or (0.5,) * len(job.hazards)
    names = ", ".join(job.bands)
    card = ModelCard(
        name=name,
        title=job.title or name,
        architecture=job.architecture,
        encoder=job.encoder,
        hazards=job.hazards,
        thresholds=dict(zip(job.hazards, (float(value) for value in thresholds), strict=True)),
        planes=PLANES,
        description=job.description or f"Weights of others ({file}), described by hand.",
        decoder_channels=channels,
        detail_channels=1,
        window_multiple=2 ** max(len(channels), 5),
        gsd_min_m=job.gsd_min_m,
        gsd_max_m=job.gsd_max_m,
        licence=job.licence,
        limits="Not scored here." if is_own else f"Needs {names}. Not scored here.",
        training={
            "source": file,
            "source_sha256": digest,
            **({} if is_own else {"bands": list(job.bands), "scale": job.scale, "output": job.output}),
        },
    )
    if is_own:
        told = shapes.get("characteristics_head.weight", (0,))[0]
        first, surface = shapes.get("detail.0.weight", (1,)), shapes.get("surface_head.weight", (1,))
        return dataclasses.replace(card, detail_channels=first[0], surface_classes=surface[0], characteristics=told)
    return dataclasses.replace(card, needs=tuple(_plane(job.scale, slot) for slot in job.bands))


def _decoder_channels(shapes: Shapes) -> tuple[int, ...]:
    """Channels of a U-Net's decoder as its weights tell them; the library's own where they do not."""
    found: list[int] = []
    for prefix in ("decoder.", "trunk.decoder."):
        while shape := shapes.get(f"{prefix}blocks.{len(found)}.conv2.0.weight"):
            found.append(shape[0])
    return tuple(found) if 3 <= len(found) <= 6 else DECODER_CHANNELS


def _plain(job: AdoptWeightsJob, channels: tuple[int, ...]) -> Any:
    return library_network(job.architecture, job.encoder, channels, len(job.bands), _outputs(job))


def _outputs(job: AdoptWeightsJob) -> int:
    return len(job.hazards) + (1 if job.output == "softmax" else 0)


def _plain_shapes(job: AdoptWeightsJob, channels: tuple[int, ...], source: Path) -> Shapes:
    """Shapes of the library's network that the job describes; raises BadInput where it cannot be built or kept."""
    if not job.bands:
        raise BadInput(f"{source.name} holds a plain network; name the bands that it takes, in their order.")
    if job.output == "softmax" and len(job.hazards) > 1:
        raise BadInput("Softmax over several hazards cannot be kept as it is; give one hazard, the second output.")
    if job.scale == "db" and not set(job.bands) <= set(SAR_SLOTS):
        raise BadInput(f"Decibels are values of {' and '.join(SAR_SLOTS)}; choose another scale for optical bands.")
    if 2 * len(job.hazards) > channels[-1]:
        raise BadInput(
            f"The decoder ends in {channels[-1]} channels, {2 * len(job.hazards)} are needed for "
            f"{len(job.hazards)} hazards; give fewer hazards."
        )
    try:
        try:
            with torch.device("meta"):
                network = _plain(job, channels)
        except RuntimeError:  # not every encoder can be made without its weights
            network = _plain(job, channels)
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{job.architecture} with encoder {job.encoder[:60]} cannot be built "
            f"({' '.join(str(error).split())[:120]}); check the encoder's name."
        ) from None
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    return {name: shape for name, shape in shapes.items() if not name.endswith("num_batches_tracked")}


def _require_shapes(found: Shapes, expected: Shapes, job: AdoptWeightsJob, source: Path) -> None:
    """Raise BadInput, naming the first difference, unless the weights are those of the network described."""
    expected = {name: shape for name, shape in expected.items() if not name.endswith("num_batches_tracked")}
    described = f"{job.architecture} with encoder {job.encoder}"
    for name, shape in expected.items():
        if name not in found:
            raise BadInput(f"{source.name} lacks '{name}' of {described}; check architecture and encoder.")
        if found[name] != shape:
            raise BadInput(
                f"'{name}' of {source.name} has the shape {found[name]}, {described}, {len(job.bands)} bands and "
                f"{len(job.hazards)} hazards has {shape}; check what was described."
            )
    extra = sorted(set(found) - set(expected))
    if extra:
        raise BadInput(f"{source.name} has '{extra[0][:80]}', for which {described} has no place; check both.")


def _plane(scale: str, slot: str) -> str:
    return f"raw_{slot}" if scale == "db" else f"norm_{slot}"


def _line(job: AdoptWeightsJob, index: int) -> tuple[float, float]:
    """Slope and offset from a plane's values to what the network takes in a band."""
    slope, offset = {
        "stretched": (1.0, 0.0),
        "stretched-0-1": (0.5, 0.5),
        "db": (SAR_SPREAD_DB, SAR_CENTRE_DB.get(job.bands[index], 0.0)),
    }[job.scale]
    mean = job.mean[index] if job.mean else 0.0
    std = job.std[index] if job.std else 1.0
    return slope / std, (offset - mean) / std


def _embedded(job: AdoptWeightsJob, card: ModelCard, given: dict[str, Tensor], source: Path) -> dict[str, Tensor]:
    """Weights of this program's network that answers as the library's; raises BadInput if it does not."""
    plain = _plain(job, card.decoder_channels)
    counted = {n: t for n, t in plain.state_dict().items() if n.endswith("num_batches_tracked")}
    plain.load_state_dict({**counted, **given})
    plain.float().eval()
    network = build_network(card).eval()
    _embed(job, plain, network)
    _require_same(job, plain, network, source)
    weights = network.state_dict()
    for name, tensor in given.items():  # as they came, at half their size where they came so
        kept = weights.get(f"trunk.{name}")
        if kept is not None and kept.shape == tensor.shape and torch.equal(kept.float(), tensor.float()):
            weights[f"trunk.{name}"] = tensor
    return weights


@torch.no_grad()
def _embed(job: AdoptWeightsJob, plain: Any, network: Any) -> None:
    given = plain.state_dict()
    entry = first_convolution(plain)
    if entry.in_channels != len(job.bands) or entry.groups != 1:
        raise BadInput(f"Encoder {job.encoder} takes its bands in a way that cannot be kept; it is not imported.")
    entry_name = next(name for name, part in plain.named_modules() if part is entry)
    trunk = {name: tensor for name, tensor in given.items() if not name.startswith("segmentation_head.")}
    weight = given[f"{entry_name}.weight"]
    wide = weight.new_zeros((weight.shape[0], len(PLANES), *weight.shape[2:]))
    for index, slot in enumerate(job.bands):
        slope, offset = _line(job, index)
        wide[:, PLANES.index(_plane(job.scale, slot))] += slope * weight[:, index]
        # The plane is 1 where there is a pixel and 0 beyond the edge, where the network saw zeros too.
        wide[:, PLANES.index(f"available_{slot}")] += offset * weight[:, index]
    trunk[f"{entry_name}.weight"] = wide
    network.trunk.load_state_dict(trunk)
    head, bias = given["segmentation_head.0.weight"], given["segmentation_head.0.bias"]
    if job.output == "softmax":  # of two classes: the sigmoid of their difference
        head, bias = head[1:] - head[:1], bias[1:] - bias[:1]
    width, count = network.hazard_head.in_channels, len(job.hazards)
    network.detail[0].weight.zero_()
    network.join[0].weight.zero_()
    network.join[0].weight[:count, :width] = head
    network.join[0].weight[count : 2 * count, :width] = -head
    norm = network.join[1]
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0)
    norm.weight.fill_(math.sqrt(1.0 + norm.eps))
    norm.bias.zero_()
    norm.bias[:count], norm.bias[count : 2 * count] = bias, -bias
    network.hazard_head.weight.zero_()
    network.hazard_head.bias.zero_()
    for index in range(count):  # what the rectifier cuts off one of the two, the other has
        network.hazard_head.weight[index, index] = 1.0
        network.hazard_head.weight[index, count + index] = -1.0
    network.surface_head.weight.zero_()
    network.surface_head.bias.fill_(-10.0)


@torch.no_grad()
def _require_same(job: AdoptWeightsJob, plain: Any, network: HazardNet, source: Path) -> None:
    """Raise BadInput unless both networks say the same of a window of noise."""
    random = torch.Generator().manual_seed(0)
    planes = torch.zeros((1, len(PLANES), PROBE_PX, PROBE_PX))
    taken = torch.zeros((1, len(job.bands), PROBE_PX, PROBE_PX))
    for index, slot in enumerate(job.bands):
        values = torch.randn((PROBE_PX, PROBE_PX), generator=random).clamp(-2, 3)
        planes[:, PLANES.index(_plane(job.scale, slot))] = values
        planes[:, PLANES.index(f"available_{slot}")] = 1.0
        slope, offset = _line(job, index)
        taken[:, index] = slope * values + offset
    try:
        expected = plain(taken)
    except RuntimeError as error:
        raise BadInput(
            f"{job.architecture} with encoder {job.encoder} does not run ({' '.join(str(error).split())[:100]}); "
            "check its channels."
        ) from None
    if job.output == "softmax":
        expected = expected[:, 1:] - expected[:, :1]
    difference = float((network.hazard_logits(planes) - expected).abs().max())
    size = max(1.0, float(expected.abs().max()))
    if not difference <= LARGEST_DIFFERENCE * size:
        raise BadInput(f"{source.name} with encoder {job.encoder} would not answer the same here; it is not imported.")
