"""Where random numbers come from, and the arrays that they fill."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

STAGES = (
    "shop", "plan", "customers", "purchases", "values", "campaigns",
    "receipts", "lines", "returns", "points", "numbers", "dirt", "survey",
)  # fmt: skip


def generator(seed: int, stage: str, chunk: int = 0) -> np.random.Generator:
    """The random numbers of one stage in one chunk.

    They depend on nothing else: campaigns switched off leave every purchase that they did not cause as it was.

    Examples
    --------
    >>> bool(generator(1, "values", 3).random() == generator(1, "values", 3).random())
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STAGES.index(stage), chunk)))


def numbered(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Rows for groups of the given sizes, one group after the other: each row's group, and its number in it from 0.

    Examples
    --------
    >>> [each.tolist() for each in numbered(np.array([2, 0, 3]))]
    [[0, 0, 2, 2, 2], [0, 1, 0, 1, 2]]
    """
    group = np.repeat(np.arange(counts.size), counts)
    first = np.cumsum(counts) - counts
    return group, np.arange(group.size) - first[group]
