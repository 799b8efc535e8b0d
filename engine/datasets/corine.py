"""CORINE land cover as BigEarthNet uses it: which codes and which class names are artificial, natural or not judged.

Level 1 of the nomenclature (European Environment Agency, CORINE Land Cover nomenclature guidelines, 2019): 1 artificial
surfaces, 2 agricultural areas, 3 forest and semi-natural areas, 4 wetlands, 5 water bodies.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..samples import UNKNOWN

SEA = 523
CODES = (
    *(111, 112, 121, 122, 123, 124, 131, 132, 133, 141, 142),
    *(211, 212, 213, 221, 222, 223, 231, 241, 242, 243, 244),
    *(311, 312, 313, 321, 322, 323, 324, 331, 332, 333, 334, 335),
    *(411, 412, 421, 422, 423),
    *(511, 512, 521, 522, SEA),
)
"""The 44 classes of level 3."""

ARTIFICIAL = frozenset(
    {
        "Continuous urban fabric",
        "Discontinuous urban fabric",
        "Industrial or commercial units",
        "Road and rail networks and associated land",
        "Port areas",
        "Airports",
        "Mineral extraction sites",
        "Dump sites",
        "Construction sites",
        "Green urban areas",
        "Sport and leisure facilities",
        "Urban fabric",
    }
)
"""Names of level-1 class 1, in the nomenclatures of 43 (level 3) and of 19 classes."""

NATURAL = frozenset(
    {
        "Non-irrigated arable land",
        "Permanently irrigated land",
        "Rice fields",
        "Vineyards",
        "Fruit trees and berry plantations",
        "Olive groves",
        "Pastures",
        "Annual crops associated with permanent crops",
        "Complex cultivation patterns",
        "Land principally occupied by agriculture, with significant areas of natural vegetation",
        "Agro-forestry areas",
        "Broad-leaved forest",
        "Coniferous forest",
        "Mixed forest",
        "Natural grassland",
        "Moors and heathland",
        "Sclerophyllous vegetation",
        "Transitional woodland/shrub",
        "Beaches, dunes, sands",
        "Bare rock",
        "Sparsely vegetated areas",
        "Burnt areas",
        "Glaciers and perpetual snow",
        "Inland marshes",
        "Peatbogs",
        "Salt marshes",
        "Salines",
        "Intertidal flats",
        "Water courses",
        "Water bodies",
        "Coastal lagoons",
        "Estuaries",
        "Arable land",
        "Permanent crops",
        "Natural grassland and sparsely vegetated areas",
        "Moors, heathland and sclerophyllous vegetation",
        "Transitional woodland, shrub",
        "Inland wetlands",
        "Coastal wetlands",
        "Inland waters",
    }
)
NOT_JUDGED = frozenset({"Sea and ocean", "Marine waters"})


def surface_of(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Level-3 codes of any shape to 1 artificial, 0 natural, 255 not judged (sea, nodata and what is no code)."""
    surface = np.full(codes.shape, UNKNOWN, np.uint8)
    known = np.isin(codes, [code for code in CODES if code != SEA])
    surface[known] = codes[known] < 200
    return surface


def artificial_of(labels: Sequence[str]) -> bool | None:
    """Whether class names of a patch hold an artificial one; None for sea alone or no label.

    Raises:
        ValueError: for a name of neither nomenclature.
    """
    for label in labels:
        if label not in ARTIFICIAL | NATURAL | NOT_JUDGED:
            raise ValueError(label)
    judged = set(labels) - NOT_JUDGED
    return bool(judged & ARTIFICIAL) if judged else None
