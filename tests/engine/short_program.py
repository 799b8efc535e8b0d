"""The engine as a program that validates on few simulated scenes: they take most of the time of a run of a few steps.

``python -m tests.engine.short_program`` goes where ``python -m engine`` would.
"""

import os
import sys


def run() -> int:
    """The same commands, the worker among them."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the program does before it imports torch
    from engine import learning
    from engine.__main__ import run_program
    from engine.before import training

    learning.VALIDATION_SCENES = (3, 3)
    training.VALIDATION_PAIRS = (3, 3)
    return run_program()


if __name__ == "__main__":
    sys.exit(run())
