"""Loops that do not fit into vectors, compiled once and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(function: Loop) -> Loop:
    """Compile a function of numbers and arrays with numba, and keep the machine code for later processes.

    It is kept beside the source or, where that is read-only, in the user's cache; where neither can be written it is
    compiled anew in each process, which takes some seconds.

    Parameters
    ----------
    function : callable
        In the part of Python that numba knows.

    Returns
    -------
    callable
        With the same arguments and results.

    Examples
    --------
    >>> @compiled
    ... def add_up(n: int) -> int:
    ...     total = 0
    ...     for i in range(n):
    ...         total += i
    ...     return total
    >>> add_up(10)
    45
    """
    # What is kept names the module. Doctests import this package as `src`, a name that no other process knows.
    if not function.__module__.startswith("loyalty."):
        return _typed(function, cache=False)
    try:
        return _typed(function, cache=True)
    except RuntimeError:  # no folder to write to
        return _typed(function, cache=False)


def _typed(function: Loop, *, cache: bool) -> Loop:
    return cast(Loop, numba.njit(cache=cache)(function))
