"""What labelled data of any source look like to training: arrays, what they mean, and what is known of the place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from .protocol import SAR_SLOTS, SENSORS

UNKNOWN = 255
"""Label of a pixel that is not to be judged."""

CHARACTERISTICS = 5 + len(SENSORS)
"""Outputs of the characteristics head: unit-sphere place (3), sine and cosine of the day of year (2), sensor codes."""

BLOCKS = (slice(0, 3), slice(3, 5), slice(5, CHARACTERISTICS))
"""Place, day of year and sensor: each is known as a whole or masked as a whole."""


@dataclass(frozen=True)
class Characteristics:
    """What is known of a scene beside its pixels; what is unknown is None, never invented.

    ``longitude`` and ``latitude`` in degrees (WGS 84), ``day_of_year`` 1 to 366, ``sensor`` one of
    ``protocol.SENSORS``.
    """

    longitude: float | None = None
    latitude: float | None = None
    day_of_year: float | None = None
    sensor: str | None = None

    def encode(self) -> tuple[Tensor, Tensor]:
        """Target and mask, both (CHARACTERISTICS,) float32; each known block is a unit vector, masked ones are 0."""
        target, known = torch.zeros(CHARACTERISTICS), torch.zeros(CHARACTERISTICS)
        if self.longitude is not None and self.latitude is not None:
            lon, lat = torch.deg2rad(torch.tensor([self.longitude, self.latitude]))
            target[:3] = torch.stack((lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()))
            known[BLOCKS[0]] = 1
        if self.day_of_year is not None:
            angle = torch.tensor(2 * torch.pi * self.day_of_year / 365.25)
            target[3:5] = torch.stack((angle.sin(), angle.cos()))
            known[BLOCKS[1]] = 1
        if self.sensor is not None:
            target[5 + SENSORS.index(self.sensor)] = 1
            known[BLOCKS[2]] = 1
        return target, known

    def seen_through(self, slots: Sequence[str]) -> Characteristics:
        """The same when only these of the scene's slots are used: what is left of a joined scene may be radar alone."""
        if self.sensor is None or self.sensor == "sentinel-1" or not set(slots) <= set(SAR_SLOTS):
            return self
        return replace(self, sensor="sentinel-1")


@dataclass
class LabelledScene:
    """One scene or chip with labels, in canonical units.

    Attributes:
        slots: slots of ``values``, in the order of ``protocol.SLOTS``.
        values: (slots, h, w) float32: reflectance 0-1, dB, bytes / 255, or as they are where units are not known.
        valid: (1, h, w) bool; False where nothing was measured.
        absolute: whether ``values`` are physical (reflectance or dB) or only display values.
        labels: hazard to (h, w) uint8: 1 hazard, 0 none, 255 not judged. A hazard that is absent was never looked for.
        surface: (h, w) uint8: 1 artificial, 0 natural, 255 not judged; None where only ``artificial`` is known.
        artificial: patch label: whether any of it is artificial; None where unknown or told by ``surface``.
        characteristics: what is known of place, date and sensor.
        gsd_m: ground sampling distance.
        name: to name it in messages.
        scene_range: 2 and 98 % of each slot over the whole scene that this is a chip of, for the scaling of its planes;
            None where it is to be measured on the chip itself.
    """

    slots: tuple[str, ...]
    values: Tensor
    valid: Tensor
    absolute: bool
    labels: dict[str, Tensor] = field(default_factory=dict)
    surface: Tensor | None = None
    artificial: bool | None = None
    characteristics: Characteristics = field(default_factory=Characteristics)
    gsd_m: float = 10.0
    name: str = ""
    scene_range: tuple[tuple[float, ...], tuple[float, ...]] | None = None


class LabelledData(Protocol):
    """A source of labelled scenes on disk: sizes are known at once, pixels are read one scene at a time.

    Reading a scene raises BadInput (one sentence) if its files are damaged or missing: training reports it and goes
    on with the others.
    """

    name: str
    """For the card: which data set this is."""
    licence: str
    """For the card: licence and source of the data."""
    hazards: tuple[str, ...]
    """Hazards that its labels speak of; none for natural/artificial data."""

    def split(self, seed: int) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """Numbers of the scenes for training, validation and test: the data's own split, else a seeded one."""

    def read(self, number: int) -> LabelledScene:
        """One scene."""

    def __len__(self) -> int:
        """Number of scenes found."""
