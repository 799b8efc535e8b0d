"""How the C library keeps freed memory: at hand while a job computes, given back to the system when it is through."""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = 1
"""Heaps that threads share; glibc makes eight a core, each of which would keep what its thread freed."""
MAPPED_BYTES = (64 << 20, 32 << 20)
"""Smaller buffers lie in the heap: the first limit that the library takes (glibc before 2.35 at most 32 MB). Larger
ones are given back as soon as they are freed, and their pages taken anew: at 8 MB a third of PyTorch's time."""
KEPT_BYTES = 256 << 20
"""Free memory at the heap's end from which on it is given back while computing; setting the other limit would leave it
at 128 KB, which is no memory kept at all."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of malloc.h
_VARIABLES = ("MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def bound_heap() -> bool:
    """Set all three for this process, before it starts threads; whether that was possible (glibc, not if set already).

    The variables MALLOC_ARENA_MAX, MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ of the environment go first.
    """
    library = _library()
    if library is None or any(name in os.environ for name in _VARIABLES):
        return False
    shared = library.mallopt(_M_ARENA_MAX, ARENAS)
    mapped = any(library.mallopt(_M_MMAP_THRESHOLD, size) for size in MAPPED_BYTES)
    kept = library.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
    return bool(shared and mapped and kept)


def give_back() -> None:
    """Give freed memory back to the system, where the library is known to do so when asked (glibc)."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


def _library() -> ctypes.CDLL | None:
    """The C library, if it is glibc."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        _ = library.mallopt, library.malloc_trim
    except (OSError, AttributeError):  # another C library
        return None
    return library
