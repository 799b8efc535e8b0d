"""The engine's command line with small scenes and in float32, as ``torchrun`` starts it in the tests.

WHEN=cancel:RANK:STEP asks a process to stop once a step is made, WHEN=kill:RANK:STEP kills it.
"""

import os
import signal
import sys

from engine import batches, learning, optimise
from engine.__main__ import main

batches.SCENE_SIZE_PX = batches.CHIP_SIZE_PX = 64
batches.SCENES_IN_LANE = 1
learning.VALIDATION_SCENES = (8, 8)
optimise.mixed_precision = lambda device: None

what, rank, step = os.environ.get("WHEN", "never:-1:-1").split(":")
learn = optimise._State.learn


def watched(state, batch, rate):
    """One step, and what is to happen after it."""
    learn(state, batch, rate)
    if os.environ.get("RANK", "0") == rank and state.run.step == int(step):
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "cancel": signal.SIGTERM}[what])


optimise._State.learn = watched

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
