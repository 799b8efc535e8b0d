"""Small stand-ins for training: a network of a few weights, scenes whose labels follow from their values."""

import contextlib
import dataclasses

import torch
from torch import nn

from engine.model import Heads
from engine.optimise import Evaluation, Learner, Plan
from engine.planes import PLANES
from engine.protocol import BadInput
from engine.samples import Characteristics, LabelledScene
from engine.simulate.chips import Batch


class ToyNetwork(nn.Module):
    """All heads from one convolution, with batch normalisation and dropout, whose state and chance must be kept."""

    def __init__(self, hazards=1):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(len(PLANES), 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2))
        self.hazard_head, self.surface_head = nn.Conv2d(4, hazards, 1), nn.Conv2d(4, 1, 1)

    def forward(self, planes):
        features = self.body(planes)
        return Heads(self.hazard_head(features), self.surface_head(features))


@dataclasses.dataclass
class ToySource:
    """Batches by number; one at ``bad_step`` is not to be had."""

    size_px: int = 8
    bad_step: int = -1

    def batch(self, step):
        if step == self.bad_step:
            raise BadInput(f"Step {step} is bad; expected another.")
        draw = torch.Generator().manual_seed(step)
        planes = torch.rand((2, len(PLANES), self.size_px, self.size_px), generator=draw)
        surface = (planes[:, 0] > 0.5).to(torch.uint8)
        return Batch(planes, surface[:, None], surface)


def toy_learner(seed=0, evaluate=None, loss=None, source=None):
    """A learner whose batches are made in place."""
    torch.manual_seed(seed)
    source = source or ToySource()

    @contextlib.contextmanager
    def batches(first):
        def endless():
            step = first
            while True:
                yield source.batch(step)
                step += 1

        yield endless()

    def default_loss(network, batch):
        return nn.functional.binary_cross_entropy_with_logits(
            network(batch.planes).surface[:, 0], batch.surface.float()
        )

    def default_evaluate(network):
        with torch.no_grad():
            value = float(default_loss(network, source.batch(10_000)))
        return Evaluation(-value, {"validation_loss": value})

    return Learner(ToyNetwork(), batches, loss or default_loss, evaluate or default_evaluate)


def toy_plan(**changes):
    values = {
        "steps": 12,
        "seconds": None,
        "validate_every": 4,
        "patience_steps": 0,
        "batch_size": 2,
        "learning_rate": 0.02,
        "optimizer": "adamw",
        "checkpoint_every_s": 1e9,
    }
    return Plan(**{**values, **changes})


@dataclasses.dataclass
class ToyScenes:
    """Labelled scenes in memory: green ground with red squares, which are the hazard and the artificial surface.

    Attributes:
        count: how many; three quarters train, the rest validates.
        hazard: name of the hazard that the labels show; None for natural/artificial labels.
        size_px: side of a scene.
        empty: whether labels show nothing.
        by_patch: whether artificial is told by patch only.
        bad: numbers of scenes that cannot be read.
    """

    count: int = 24
    hazard: str | None = None
    size_px: int = 64
    empty: bool = False
    by_patch: bool = False
    bad: tuple = ()
    name: str = "Toy scenes"
    licence: str = "made by a test"
    notes: tuple = ()

    @property
    def hazards(self):
        return (self.hazard,) if self.hazard else ()

    def __len__(self):
        return self.count

    def split(self, seed):
        most = self.count * 3 // 4
        return range(most), range(most, self.count), range(0)

    def read(self, number):
        if number in self.bad:
            raise BadInput(f"Scene {number} is damaged; copy it again.")
        draw = torch.Generator().manual_seed(number + 1)
        size = self.size_px
        truth = torch.zeros((size, size), dtype=torch.uint8)
        if not self.by_patch or number % 2:
            for _ in range(3):
                top, left = (int(torch.randint(size - size // 4, (), generator=draw)) for _ in range(2))
                truth[top : top + size // 4, left : left + size // 4] = 1
        ground = torch.tensor([0.04, 0.08, 0.04, 0.35]).view(4, 1, 1)
        square = torch.tensor([0.10, 0.12, 0.30, 0.28]).view(4, 1, 1)
        values = torch.where(truth.bool(), square, ground) + 0.01 * torch.randn((4, size, size), generator=draw)
        shown = torch.zeros_like(truth) if self.empty else truth
        return LabelledScene(
            slots=("blue", "green", "red", "nir"),
            values=values,
            valid=torch.ones((1, size, size), dtype=torch.bool),
            absolute=True,
            labels={self.hazard: shown} if self.hazard else {},
            surface=None if self.hazard or self.by_patch else shown,
            artificial=bool(truth.any()) and not self.empty if self.by_patch else None,
            characteristics=Characteristics(longitude=10.0, latitude=50.0, day_of_year=180, sensor="sentinel-2-l2a"),
            name=f"scene {number}",
        )
