"""Surfaces of simulated scenes: mean reflectance in seven bands and C-band backscatter, after published spectra."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Cover:
    """One kind of surface.

    ``reflectance`` is coastal, blue, green, red, nir, swir1, swir2 (0-1); ``vv`` and ``vh`` are dB at about 37 degrees
    incidence; ``texture`` is the relative spread of reflectance from pixel to pixel.
    """

    name: str
    reflectance: tuple[float, float, float, float, float, float, float]
    vv: float
    vh: float
    texture: float = 0.08
    artificial: bool = False


# Means of our own at the band centres of Landsat 8 OLI, after the shapes of spectra published in the USGS spectral
# library version 7 (Kokaly et al. 2017, doi 10.3133/ds1035) and the ECOSTRESS library (Meerdink et al. 2019, doi
# 10.1016/j.rse.2019.05.015); snow and ice after Warren 1982 (doi 10.1029/RG020i001p00067) and Naegeli et al. 2017 (doi
# 10.3390/rs9020110); roofs and roads after Herold et al. 2004 (doi 10.1016/j.rse.2004.02.013); waters after Mobley
# 1994 (Light and Water). Their spread from scene to scene is the renderer's. Backscatter follows Ulaby & Dobson 1989
# (Handbook of Radar Scattering Statistics for Terrain) and Sentinel-1 over land cover (Bauer-Marschallinger et al.
# 2021, doi 10.1038/s41597-021-01059-7).
COVERS = (
    Cover("broadleaf", (0.020, 0.025, 0.050, 0.030, 0.36, 0.17, 0.075), -8.5, -14.0, 0.10),
    Cover("conifer", (0.018, 0.022, 0.038, 0.028, 0.21, 0.10, 0.045), -9.0, -14.5, 0.12),
    Cover("crop_green", (0.025, 0.035, 0.075, 0.045, 0.40, 0.19, 0.090), -10.0, -17.0, 0.06),
    Cover("crop_dry", (0.050, 0.070, 0.110, 0.140, 0.27, 0.32, 0.210), -11.0, -18.0, 0.06),
    Cover("grass", (0.030, 0.045, 0.085, 0.070, 0.28, 0.24, 0.130), -12.0, -19.0, 0.06),
    Cover("shrub", (0.045, 0.060, 0.090, 0.100, 0.21, 0.25, 0.170), -11.0, -18.0, 0.10),
    Cover("soil_bright", (0.090, 0.120, 0.170, 0.230, 0.31, 0.40, 0.360), -13.0, -22.0, 0.05),
    Cover("soil_dark", (0.050, 0.060, 0.080, 0.100, 0.15, 0.22, 0.190), -12.0, -21.0, 0.06),
    Cover("soil_wet", (0.035, 0.045, 0.060, 0.075, 0.11, 0.12, 0.090), -9.0, -18.0, 0.08),
    Cover("soil_smooth", (0.080, 0.110, 0.150, 0.190, 0.25, 0.33, 0.300), -17.0, -25.5, 0.05),
    Cover("sand", (0.160, 0.210, 0.280, 0.340, 0.42, 0.50, 0.460), -17.5, -26.5, 0.05),
    Cover("rock_bright", (0.140, 0.170, 0.210, 0.240, 0.28, 0.32, 0.300), -9.0, -17.0, 0.12),
    Cover("rock_dark", (0.045, 0.050, 0.060, 0.070, 0.09, 0.11, 0.100), -10.0, -18.0, 0.12),
    Cover("burnt", (0.030, 0.040, 0.045, 0.055, 0.09, 0.14, 0.150), -11.0, -18.0, 0.12),
    Cover("wetland", (0.020, 0.030, 0.050, 0.045, 0.17, 0.09, 0.045), -9.0, -16.0, 0.10),
    Cover("mud", (0.060, 0.075, 0.095, 0.110, 0.12, 0.09, 0.060), -13.0, -21.0, 0.06),
    Cover("salt", (0.400, 0.450, 0.500, 0.530, 0.55, 0.45, 0.350), -14.0, -24.0, 0.05),
    Cover("snow", (0.880, 0.900, 0.880, 0.860, 0.75, 0.12, 0.090), -14.0, -21.0, 0.03),
    Cover("ice", (0.500, 0.550, 0.520, 0.440, 0.32, 0.03, 0.020), -11.0, -18.0, 0.10),
    Cover("dirty_ice", (0.200, 0.230, 0.240, 0.240, 0.21, 0.11, 0.080), -10.0, -17.0, 0.18),
    Cover("leafless", (0.035, 0.045, 0.065, 0.080, 0.17, 0.20, 0.130), -9.5, -15.5, 0.12),
    Cover("gravel", (0.120, 0.145, 0.175, 0.195, 0.22, 0.25, 0.230), -11.5, -20.0, 0.10),
    Cover("moraine", (0.085, 0.105, 0.130, 0.150, 0.18, 0.21, 0.190), -8.5, -16.0, 0.16),
    Cover("ice_rock", (0.105, 0.120, 0.135, 0.145, 0.15, 0.12, 0.100), -8.0, -15.5, 0.14),
    Cover("debris_grey", (0.140, 0.165, 0.195, 0.215, 0.24, 0.27, 0.250), -9.0, -16.5, 0.12),
    Cover("debris_red", (0.060, 0.075, 0.110, 0.185, 0.25, 0.33, 0.290), -9.5, -17.0, 0.12),
    Cover("bare_wet", (0.060, 0.075, 0.095, 0.120, 0.17, 0.20, 0.160), -12.5, -23.0, 0.07),
    Cover("debris", (0.080, 0.105, 0.150, 0.195, 0.26, 0.34, 0.300), -9.5, -17.0, 0.12),
    Cover("concrete", (0.130, 0.160, 0.180, 0.200, 0.23, 0.25, 0.220), -5.0, -12.5, 0.20, True),
    Cover("asphalt", (0.070, 0.080, 0.095, 0.100, 0.12, 0.13, 0.120), -16.0, -24.0, 0.08, True),
    Cover("roof_red", (0.070, 0.080, 0.110, 0.190, 0.26, 0.30, 0.260), -3.0, -11.0, 0.20, True),
    Cover("roof_dark", (0.040, 0.045, 0.050, 0.055, 0.08, 0.09, 0.085), -3.0, -12.0, 0.20, True),
    Cover("roof_bright", (0.300, 0.350, 0.380, 0.400, 0.42, 0.40, 0.340), -2.0, -10.0, 0.15, True),
    Cover("roof_blue", (0.150, 0.240, 0.220, 0.150, 0.24, 0.20, 0.150), -2.0, -10.0, 0.15, True),
    Cover("quarry", (0.180, 0.220, 0.270, 0.310, 0.36, 0.40, 0.370), -10.0, -17.0, 0.12, True),
    Cover("water", (0.030, 0.032, 0.028, 0.018, 0.010, 0.005, 0.003), -21.5, -28.0, 0.04),
)
INDEX = {cover.name: index for index, cover in enumerate(COVERS)}

WATERS = {
    "clear": (0.030, 0.032, 0.028, 0.018, 0.010, 0.005, 0.003),
    "black": (0.012, 0.012, 0.013, 0.011, 0.008, 0.004, 0.003),
    "green": (0.025, 0.040, 0.075, 0.045, 0.055, 0.018, 0.010),
    "turbid": (0.060, 0.080, 0.110, 0.115, 0.070, 0.018, 0.011),
    "muddy": (0.085, 0.110, 0.155, 0.195, 0.165, 0.045, 0.028),
}
"""Reflectance of water bodies; silt lifts green to near infrared and leaves the short-wave infrared dark."""


def reflectance_table() -> Tensor:
    """(covers, 7) reflectance."""
    return torch.tensor([cover.reflectance for cover in COVERS])


def backscatter_table() -> Tensor:
    """(covers, 2) VV and VH in dB."""
    return torch.tensor([(cover.vv, cover.vh) for cover in COVERS])


def texture_table() -> Tensor:
    """(covers,) relative spread from pixel to pixel."""
    return torch.tensor([cover.texture for cover in COVERS])


def artificial_table() -> Tensor:
    """(covers,) whether the surface is man-made."""
    return torch.tensor([cover.artificial for cover in COVERS])
