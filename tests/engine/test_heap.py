"""Memory is at hand while a job computes and goes back to the system afterwards."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.heap import bound_heap

PROGRAM = """
import ctypes, resource, sys, threading
sys.path.insert(0, sys.argv[1])
from engine.heap import bound_heap, give_back
if sys.argv[2] == "bound":
    assert bound_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def work():
    for size in (20, 30, 8, 8, 8, 8):  # each a little larger or smaller than what the library keeps
        held = [libc.malloc(size << 20) for _ in range(4)]
        for block in held:
            ctypes.memset(block, 1, size << 20)
        for block in held[:3]:
            libc.free(block)
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    block = libc.malloc(16 << 20)
    ctypes.memset(block, 1, 16 << 20)
    libc.free(block)
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
give_back()
print(faults, int(open("/proc/self/statm").read().split()[1]) * 4096)
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heaps are those of Linux")


def _faults_and_resident(how: str) -> tuple[int, int]:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", PROGRAM, root, how]
    faults, resident = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    return int(faults), int(resident)


def test_what_is_freed_is_at_hand_and_is_given_back_in_the_end():
    faults, resident = _faults_and_resident("bound")
    assert faults < 2 * (16 << 20) / 4096  # the pages of one block and a little, not of fifty
    never_freed = 3 * (20 + 30 + 4 * 8) << 20  # one block of each round
    assert resident < never_freed + (60 << 20)


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"])
def test_the_user_s_own_settings_go_first(monkeypatch, name):
    monkeypatch.setenv(name, "4")
    assert bound_heap() is False
