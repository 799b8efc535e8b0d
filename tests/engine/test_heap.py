"""Memory that threads freed goes back to the system."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.heap import bound_heap

PROGRAM = """
import ctypes, sys, threading
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "bound":
    from engine.heap import bound_heap
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
print(int(open("/proc/self/statm").read().split()[1]) * 4096)
"""


def _resident(how: str, **environment: str) -> int:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", PROGRAM, root, how]
    return int(subprocess.run(command, capture_output=True, check=True, text=True, env=environment or None).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heaps are those of Linux")
def test_what_threads_free_is_given_back():
    held = 3 * (20 + 30 + 4 * 8) << 20  # one block of each round is never freed
    assert _resident("bound") < held + (60 << 20)


def test_the_user_s_own_settings_go_first(monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert bound_heap() is False
