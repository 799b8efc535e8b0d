"""Landslides of one earthquake or cloudburst on slopes that plants cover: fresh, plainly seen, side by side.

Beside slides that hide among bare ground (``hazards.landslides``) a network has to see those that an analyst is called
for: longer than wide, along the fall line, of many sizes, their crowns round, their mass running on along the valley
(length to width after Taylor et al. 2018, Landslide shape, ellipticity, and length-to-width ratios, Journal of
Geophysical Research: Earth Surface 123).
"""

import torch
from torch import Tensor

from .fields import Draw, blur, flow_down, gradient
from .surface import BARE_GROUND, Land, edge_share, is_one_of, put, share

LENGTH_M = (40, 700)
"""Of single slides, metres along the fall line."""
MOST_SLIDES = 120
MATERIALS = {"debris": 3.0, "debris_grey": 2.0, "debris_red": 1.0, "soil_bright": 1.5, "rock_bright": 1.0}


def grow_plants(land: Land, draw: Draw) -> None:
    """Cover most of what is bare on slopes; in dry valleys with thorn, which leaves rock between."""
    bare = is_one_of(land, BARE_GROUND)
    dry = land.country == "gorge"
    kept = share(draw.fractal(draw.log_uniform(3, 30), 2.4)[0]) > (draw.uniform(0.75, 1.0) if dry else 0.97)
    plants = draw.pick({"shrub": 3, "grass": 1} if dry else {"broadleaf": 3, "conifer": 2, "shrub": 1, "grass": 1})
    put(land, bare & ~kept & (land.steepness > draw.uniform(0.03, 0.12)), plants)


def fresh_slides(land: Land, draw: Draw) -> Tensor:
    """Lay slides of one material onto slopes; returns their (size, size) bool, run-outs included."""
    size, gsd_m = draw.size_px, land.gsd_m
    smooth = blur(land.elevation[None], min(size / 12, max(1.5, draw.uniform(15, 60) / gsd_m)))[0]
    across, down = gradient(smooth, gsd_m)
    steepness = torch.sqrt(across**2 + down**2).clamp_min(1e-6)
    favour = steepness / steepness.mean() + draw.uniform(0.3, 1.5) * draw.fractal(size / 4, 3.0)[0]
    ragged = draw.fractal(draw.log_uniform(3, 14), draw.uniform(2.0, 3.0))[0]
    slid, toes = (torch.zeros((size, size), dtype=torch.bool) for _ in range(2))
    wanted = draw.log_uniform(0.02, 0.4) * size * size
    typical_m = draw.log_uniform(60, 350)
    places = torch.multinomial(torch.exp(1.3 * favour).reshape(-1), MOST_SLIDES, generator=draw.generator)
    for place in places.tolist():
        length_m = min(max(typical_m * 2 ** draw.normal(0.8), LENGTH_M[0]), LENGTH_M[1])
        length_px = min(size / 2, max(5.0, length_m / gsd_m))
        width_px = max(2.5, length_px * draw.log_uniform(0.15, 0.7))
        _lay_one(slid, toes, divmod(place, size), (length_px, width_px), (across, down), ragged)
        if int(slid.sum()) > wanted:
            break
    if draw.chance(0.7):  # the mass runs on along the valley
        reach_px = int(min(60, max(4.0, draw.log_uniform(40, 900) / gsd_m)))
        run = flow_down(toes.float(), across, down, reach_px, torch.full_like(smooth, 1 / reach_px)) > 0.05
        slid |= edge_share(run, draw.uniform(0.5, 1.5)) > 0.35
    slid &= land.water < 0.5
    material = draw.pick(MATERIALS)
    put(land, slid, material)
    if draw.chance(0.35):
        put(land, slid & (draw.fractal(size / 8, 2.6)[0] > draw.uniform(0, 1.5)), draw.pick(MATERIALS))
    texture = draw.uniform(0.03, 0.12) * draw.fractal(4, 2.0)[0] + draw.uniform(0.0, 0.12) * draw.fractal(20, 2.5)[0]
    land.brightness = torch.where(slid, draw.uniform(-0.1, 0.5) + texture, land.brightness)
    return slid


def _lay_one(
    slid: Tensor,
    toes: Tensor,
    start: tuple[int, int],
    extent_px: tuple[float, float],
    slopes: tuple[Tensor, Tensor],
    ragged: Tensor,
) -> None:
    """Add one slide, of a length and a width, from its crown down the fall line; ``toes`` gets its lower end."""
    length_px, width_px = extent_px
    row, column = start
    fall_x, fall_y = -float(slopes[0][row, column]), -float(slopes[1][row, column])
    steepness = max(1e-6, (fall_x**2 + fall_y**2) ** 0.5)
    fall_x, fall_y = fall_x / steepness, fall_y / steepness
    reach = int(length_px + width_px) + 2
    top, left = max(0, row - reach), max(0, column - reach)
    rows, columns = slice(top, row + reach), slice(left, column + reach)
    y = torch.arange(top, top + slid[rows].shape[0])[:, None] - row
    x = torch.arange(left, left + slid[:, columns].shape[1])[None, :] - column
    along = (x * fall_x + y * fall_y) / length_px
    beside = (y * fall_x - x * fall_y) / (width_px / 2)
    outline = (along.clamp(0, 1) * (1 - along.clamp(0, 1)) * 4).sqrt() * (0.8 + 0.3 * along)  # round, wider below
    inside = (beside.abs() + 0.25 * ragged[rows, columns] < outline) & (along > 0) & (along < 1)
    slid[rows, columns] |= inside
    toes[rows, columns] |= inside & (along > 0.8)
