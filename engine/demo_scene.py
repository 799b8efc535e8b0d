"""Write the scene that the demo shows: ``python -m engine.demo_scene OUT.tif [--radar] [--seed N] [--size-px N]``."""

from __future__ import annotations

import argparse
import sys

from .protocol import OPTICAL_SLOTS, SAR_SLOTS
from .raster import write_simulated_scene
from .simulate import simulate_scene

SEED = 23
SIZE_PX = 1024
GSD_M = 10.0


def main() -> int:
    """Simulate a flood as Sentinel-2 (six bands) or, with ``--radar``, Sentinel-1 would see it."""
    parser = argparse.ArgumentParser(prog="python -m engine.demo_scene", description=main.__doc__)
    parser.add_argument("path", help="GeoTIFF to write")
    parser.add_argument("--radar", action="store_true", help="VV and VH in dB instead of six reflectances")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--size-px", type=int, default=SIZE_PX)
    options = parser.parse_args()
    slots = SAR_SLOTS if options.radar else OPTICAL_SLOTS[1:]
    values, _ = simulate_scene(options.seed, options.size_px, "flood", slots, GSD_M)
    write_simulated_scene(options.path, values, GSD_M, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
