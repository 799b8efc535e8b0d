"""Which scenes train, which validate and which test, where a data set does not say so itself (pure)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

VALIDATION_SHARE = 0.1
TEST_SHARE = 0.1
LARGEST_SHARE = 1 / 3
"""A group with more of all scenes than this always trains."""
LEAST_GROUPS = 3

Split = tuple[list[int], list[int], list[int]]

SPLIT_NAMES = {
    "train": 0, "training": 0, "traindata": 0,
    "val": 1, "valid": 1, "validation": 1, "validdata": 1, "dev": 1,
    "test": 2, "testing": 2, "testdata": 2,
}  # fmt: skip
"""What people call the three parts, in lower case."""


def seeded_split(groups: Sequence[str], seed: int) -> Split:
    """Numbers for training, validation and test, such that scenes of one group stay together.

    The same seed gives the same order of groups on every machine, whatever else lies in the folder. With fewer than
    three groups scenes are split one by one.

    Args:
        groups: group of each scene, such as its place.
        seed: another seed, another split.
    """
    sizes = Counter(groups)
    if len(sizes) < LEAST_GROUPS:
        groups = [f"{group} {index}" for index, group in enumerate(groups)]
        sizes = Counter(groups)
    total = len(groups)
    part_of: dict[str, int] = {}
    validation = test = 0
    for group in _shuffled(sizes, seed):
        part_of[group] = 0
        if sizes[group] > max(1, LARGEST_SHARE * total):
            continue
        if validation < VALIDATION_SHARE * total and len(sizes) > 1:
            part_of[group], validation = 1, validation + sizes[group]
        elif test < TEST_SHARE * total and len(sizes) > 2:
            part_of[group], test = 2, test + sizes[group]
    split: Split = ([], [], [])
    for index, group in enumerate(groups):
        split[part_of[group]].append(index)
    return split


def named_split(parts: Sequence[int | None], groups: Sequence[str], seed: int) -> Split:
    """The data set's own split; what it lacks for validation is taken from training by seed.

    Args:
        parts: 0 training, 1 validation, 2 test for each scene; None leaves it out.
        groups: group of each scene.
        seed: for the part that is taken from training.
    """
    split: Split = ([], [], [])
    for index, part in enumerate(parts):
        if part is not None:
            split[part].append(index)
    train, validation, test = split
    if validation or not train:
        return split
    kept, checked, held_back = (
        [train[i] for i in part] for part in seeded_split([groups[index] for index in train], seed)
    )
    return (sorted(kept + held_back), checked, test) if test else (kept, checked, held_back)


def _shuffled(groups: Counter[str], seed: int) -> list[str]:
    return sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode("utf-8", "surrogatepass")).digest())
