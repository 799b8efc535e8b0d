"""The network that tells what is new: it corrects, pixel by pixel, what the two dates say one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .planes import CHANGE_PLANES

DEPTH = 3
MULTIPLE = 2**DEPTH
LARGEST_LOGIT = 9.0
WATER = "flood"
NEW_GROUND = ("landslide", "glacier_collapse")
_HIDDEN = CHANGE_PLANES.index("hidden")


def new_by_rule(later: Tensor, earlier: Tensor) -> Tensor:
    """Logits of *now, and not before*, as if both dates spoke independently: p_later * (1 - p_earlier).

    Args:
        later: logits of the later date.
        earlier: logits of the earlier date, of the same shape.
    """
    now, was = later.clamp(-LARGEST_LOGIT, LARGEST_LOGIT), earlier.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
    # logit(p q) with q = 1 - p_earlier: p q / (1 - p q) = 1 / (e^-now + e^was + e^(was - now))
    return -torch.logsumexp(torch.stack((-now, was, was - now)), dim=0)


class _Block(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
        )


class ChangeBranch(nn.Module):
    """A small U-Net over planes of change and over what a trunk says of both dates.

    Its answer is added to ``new_by_rule``; the last convolution starts at zero, so that training starts from the rule.
    Where snow or cloud hid the ground before (plane *hidden*), nobody can see what lay there: what is asked of ground
    is no more likely new than the later date alone says that it is there. Else all that a thaw lays bare would be new.
    Landslides and collapses are taught as one question, which ground is new: the answer is the mean of their logits.

    Args:
        names: hazards that the trunk tells, in the order of its logits.
        channels: width at full resolution; it grows by half at each of ``DEPTH`` halvings.
    """

    def __init__(self, names: Sequence[str], channels: int) -> None:
        super().__init__()
        hazards = len(names)
        self._of_ground = [name != WATER for name in names]
        self._alike = [index for index, name in enumerate(names) if name in NEW_GROUND]
        widths = [channels, channels * 3 // 2, channels * 2, channels * 3]
        self.enter = nn.Sequential(
            nn.Conv2d(len(CHANGE_PLANES) + 2 * hazards + 2, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            _Block(channels, channels),
        )
        self.down = nn.ModuleList(
            nn.Sequential(_Block(widths[level], widths[level + 1], 2), _Block(widths[level + 1], widths[level + 1]))
            for level in range(DEPTH)
        )
        self.up = nn.ModuleList(
            _Block(widths[level + 1] + widths[level], widths[level]) for level in reversed(range(DEPTH))
        )
        self.leave = nn.Conv2d(channels, hazards, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(cast(Tensor, self.leave.bias))

    def forward(self, planes: Tensor, later: Tensor, earlier: Tensor, surface: Tensor) -> Tensor:
        """Logits of what is new.

        Args:
            planes: (n, CHANGE_PLANES, h, w), h and w multiples of ``MULTIPLE``.
            later: (n, hazards, h, w) logits of the later date.
            earlier: (n, hazards, h, w) logits of the earlier date.
            surface: (n, 2, h, w) logits of artificial ground, later and earlier.

        Returns:
            (n, hazards, h, w) logits.
        """
        told = torch.cat((later, earlier, surface), 1).clamp(-LARGEST_LOGIT, LARGEST_LOGIT) / 3
        fields = self.enter(torch.cat((planes, told), 1))
        kept = [fields]
        for down in self.down:
            kept.append(down(kept[-1]))
        fields = kept.pop()
        for up in self.up:
            fields = F.interpolate(fields, scale_factor=2.0, mode="bilinear", align_corners=False)
            fields = up(torch.cat((fields, kept.pop()), 1))
        new = new_by_rule(later, earlier) + cast(Tensor, self.leave(fields))
        of_ground = torch.tensor(self._of_ground, device=new.device).view(1, -1, 1, 1)
        unseen = (planes[:, _HIDDEN : _HIDDEN + 1] > 0.5) & of_ground
        new = torch.where(unseen, torch.minimum(new, later.to(new.dtype)), new)
        if len(self._alike) < 2:
            return new
        ground = new[:, self._alike].mean(1, keepdim=True)
        return torch.cat([ground if at in self._alike else new[:, at : at + 1] for at in range(new.shape[1])], 1)
