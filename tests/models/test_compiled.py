"""Compiled loops: kept on disk where that is possible, and usable where it is not."""

import numba
import pytest
from loyalty.models.compiled import compiled
from loyalty.models.pareto_race import _leaves_first


def add_up(n):
    total = 0
    for i in range(n):
        total += i
    return total


def named(module):
    """Return `add_up` as if it were defined in another module."""
    add_up.__module__ = module
    return add_up


def test_loops_of_the_package_are_kept():
    assert _leaves_first.stats.cache_path is not None


def test_loops_imported_by_another_name_are_not_kept():
    """Doctests import the package as `src`; machine code kept under that name breaks processes started elsewhere."""
    loop = compiled(named("src.models.anything"))
    assert loop.stats.cache_path is None
    assert loop(5) == 10


def test_loops_run_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch):
    compile_ = numba.njit

    def no_folder(*, cache):
        if cache:
            raise RuntimeError("cannot cache function 'add_up': no locator available for file")
        return compile_(cache=False)

    monkeypatch.setattr(numba, "njit", no_folder)
    assert compiled(named("loyalty.models.anything"))(5) == 10
