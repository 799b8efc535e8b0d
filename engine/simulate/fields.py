"""Random fields on a pixel grid: fractal noise, parcels, advection down a slope, blur (torch only)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


class Draw:
    """A seeded source of numbers and fields for one square scene of ``size_px`` pixels."""

    def __init__(self, seed: int, size_px: int) -> None:
        self.size_px = size_px
        self.generator = torch.Generator().manual_seed(seed)
        fy = torch.fft.fftfreq(size_px)[:, None]
        fx = torch.fft.rfftfreq(size_px)[None, :]
        self._fy, self._fx = fy, fx
        axis = torch.arange(size_px, dtype=torch.float32) - size_px / 2
        self.y, self.x = axis[:, None].expand(size_px, size_px), axis[None, :].expand(size_px, size_px)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number between ``low`` and ``high``."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def log_uniform(self, low: float, high: float) -> float:
        """A number between ``low`` and ``high`` whose logarithm is uniform."""
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def normal(self, spread: float = 1.0) -> float:
        """A normal number with zero mean."""
        return spread * float(torch.randn((), generator=self.generator))

    def normals(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self.generator)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform() < probability

    def whole(self, high: int) -> int:
        """A whole number from 0 to ``high`` - 1."""
        return int(torch.randint(high, (), generator=self.generator))

    def pick(self, weights: dict[str, float]) -> str:
        """A key, drawn by its weight."""
        mark = self.uniform(0, sum(weights.values()))
        for key, weight in weights.items():
            mark -= weight
            if mark <= 0:
                return key
        return key

    def white(self, count: int = 1) -> Tensor:
        """(count, size, size) standard normal noise."""
        return torch.randn((count, self.size_px, self.size_px), generator=self.generator)

    def fractal(
        self, scale_px: float, roughness: float = 3.0, count: int = 1, stretch: float = 1.0, angle: float = 0.0
    ) -> Tensor:
        """(count, size, size) fractal noise, zero mean, unit variance.

        Args:
            scale_px: size of the largest features; the spectrum is flat above twice that.
            roughness: power falls as frequency to minus this; 2 is rough, 4 smooth.
            count: independent fields.
            stretch: how much longer features are along ``angle`` (radians) than across it.
            angle: direction of the stretch.
        """
        along = self._fx * math.cos(angle) + self._fy * math.sin(angle)
        across = self._fy * math.cos(angle) - self._fx * math.sin(angle)
        frequency2 = (along * stretch) ** 2 + across**2
        amplitude = (frequency2 * (2 * scale_px) ** 2 + 1.0) ** (-roughness / 4 - 0.25)
        spectrum = torch.fft.rfft2(self.white(count)) * amplitude
        spectrum[:, 0, 0] = 0
        field: Tensor = torch.fft.irfft2(spectrum, s=(self.size_px, self.size_px))
        return field / field.std(dim=(1, 2), keepdim=True).clamp_min(1e-6)

    def parcels(self, width_px: float, length_px: float, warp_px: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
        """A warped, turned grid of parcels in rows.

        Returns:
            Row and column number of each pixel's parcel (int64), and the distance to its edge in pixels; (size, size).
        """
        angle = self.uniform(0, math.pi)
        x, y = self.x, self.y
        if warp_px > 0:
            warp = self.fractal(self.size_px / 3, 4.0, count=2) * warp_px
            x, y = x + warp[0], y + warp[1]
        u = (x * math.cos(angle) + y * math.sin(angle)) / width_px
        v = (y * math.cos(angle) - x * math.sin(angle)) / length_px
        row = torch.floor(u)
        salt = self.whole(1 << 30)
        stretch = 0.5 + hashed(row.long(), torch.zeros((), dtype=torch.int64), salt)
        v = v * stretch + 7 * hashed(row.long(), torch.ones((), dtype=torch.int64), salt)
        column = torch.floor(v)
        edge_u = (0.5 - (u - row - 0.5).abs()) * width_px
        edge_v = (0.5 - (v - column - 0.5).abs()) * length_px / stretch
        return row.long(), column.long(), torch.minimum(edge_u, edge_v)


def hashed(row: Tensor, column: Tensor, salt: int) -> Tensor:
    """A number in [0, 1) for each pair of whole numbers, the same wherever the pair occurs."""
    mixed = (row * 73856093) ^ (column * 19349663) ^ (salt * 83492791 + 374761393)
    mixed = ((mixed ^ (mixed >> 15)) * 1274126177) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 668265263) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 16)) & 0xFFFFFF).float() / float(1 << 24)


def blur(fields: Tensor, sigma_px: float) -> Tensor:
    """(count, h, w) fields smoothed by a Gaussian of ``sigma_px``, edges mirrored."""
    if sigma_px < 0.15:
        return fields
    radius = min(max(1, math.ceil(2.5 * sigma_px)), fields.shape[-1] - 1)
    steps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (steps / sigma_px) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(fields[:, None], (radius, radius, radius, radius), mode="reflect")
    across = F.conv2d(padded, kernel.view(1, 1, 1, -1))
    return F.conv2d(across, kernel.view(1, 1, -1, 1))[:, 0]


def gradient(elevation: Tensor, gsd_m: float) -> tuple[Tensor, Tensor]:
    """Slopes (metres per metre) of a (h, w) elevation in metres, towards growing column and growing row."""
    padded = F.pad(elevation[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    across = (padded[1:-1, 2:] - padded[1:-1, :-2]) / (2 * gsd_m)
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / (2 * gsd_m)
    return across, down


def shifted(field: Tensor, right_px: float, down_px: float, outside: float | None = None) -> Tensor:
    """(h, w) field moved by a number of pixels; its edge repeated, or ``outside`` where nothing moved in."""
    height, width = field.shape
    ys, xs = torch.arange(height) - round(down_px), torch.arange(width) - round(right_px)
    moved = field[ys.clamp(0, height - 1)][:, xs.clamp(0, width - 1)]
    if outside is None:
        return moved
    inside = ((ys >= 0) & (ys < height))[:, None] & ((xs >= 0) & (xs < width))[None, :]
    return torch.where(inside, moved, torch.full((), outside))


def flow_down(seeds: Tensor, across: Tensor, down: Tensor, steps: int, loss: Tensor) -> Tensor:
    """Carry energy from ``seeds`` along the fall line.

    Each step a pixel takes what its uphill neighbour had, less ``loss``, if that is more than its own.

    Args:
        seeds: (h, w) starting energy, 0 where nothing starts.
        across: slope towards growing column.
        down: slope towards growing row.
        steps: pixels of travel at most.
        loss: (h, w) energy lost a pixel.

    Returns:
        (h, w) energy left, 0 where nothing arrived.
    """
    height, width = seeds.shape
    steepness = torch.sqrt(across**2 + down**2).clamp_min(1e-6)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    up_x = (x + across / steepness) * (2 / max(width - 1, 1)) - 1
    up_y = (y + down / steepness) * (2 / max(height - 1, 1)) - 1
    grid = torch.stack((up_x, up_y), dim=-1)[None]
    energy = seeds
    for _ in range(steps):
        arrived = F.grid_sample(energy[None, None], grid, align_corners=True, padding_mode="zeros")[0, 0]
        energy = torch.maximum(energy, arrived - loss)
    return energy.clamp_min(0)
