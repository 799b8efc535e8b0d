"""Keeps the C library from hoarding memory: several threads with large buffers would make it keep heaps for each."""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = 1
"""Heaps that threads share; glibc makes eight a core."""
MAPPED_BYTES = 8 << 20
"""Buffers from this size on are given back to the system when they are freed. glibc raises the limit by itself up to
32 MB, after which windows stay in its heaps; at 1 MB a tenth of the time went to taking pages anew."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of malloc.h


def bound_heap() -> bool:
    """Set both for this process, before it starts threads; whether that was possible (glibc only, not if set already).

    The variables MALLOC_ARENA_MAX and MALLOC_MMAP_THRESHOLD_ of the environment go first.
    """
    if not sys.platform.startswith("linux"):
        return False
    if "MALLOC_ARENA_MAX" in os.environ or "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_M_ARENA_MAX, ARENAS)) and bool(mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES))
