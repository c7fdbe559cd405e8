"""Which comes first, the next purchase or leaving: against high precision, simulation and its own identities."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models.pareto_race import LARGEST_RATIO, leaves_first

SHAPES = (0.01, 0.55, 90.0, 1000.0)
RATIOS = (1e-4, 1 / 17, 1 / 15, 0.9, 1.0, 1 + 1e-9, 15.0, 17.0, 1e4)


def exact(c, s, ratio):
    """The hypergeometric function as mpmath has it."""
    return s / (s + c) * mp.hyp2f1(1, c, s + c + 1, 1 - ratio)


def slope(at, i):
    """Derivative in the logarithm of one argument, by differences of high precision."""
    step = mp.mpf(10) ** -10
    up, down = ([v * (1 + sign * step) if i == j else v for j, v in enumerate(at)] for sign in (1, -1))
    return (exact(*up) - exact(*down)) / (2 * step)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("c", SHAPES)
def test_value_and_derivatives_against_high_precision(c, ratio):
    for s in (0.02, 40.0):
        value, by_c, by_s, by_log = (float(part) for part in leaves_first(c, s, ratio))
        with mp.workdps(30):
            at = [mp.mpf(v) for v in (c, s, ratio)]
            truth = exact(*at)
            assert value == pytest.approx(float(truth), rel=1e-13)
            for got, i in ((by_c * c, 0), (by_s * s, 1), (by_log, 2)):
                assert got == pytest.approx(float(slope(at, i)), abs=1e-12 * float(truth))


@given(
    c=st.floats(1e-6, 1e9),
    s=st.floats(1e-6, 1e9),
    log_ratio=st.floats(-20, 20),
)
def test_either_leaving_or_buying_comes_first(c, s, log_ratio):
    """The same race seen from the other side: H(c, s, rho) + H(s, c, 1 / rho) = 1; and its bounds."""
    ratio = np.exp(log_ratio)
    leaving, buying = leaves_first(c, s, ratio)[0], leaves_first(s, c, 1 / ratio)[0]
    assert leaving + buying == pytest.approx(1, abs=1e-12)
    low, high = sorted((s / (s + c), s / (s + c * ratio)))
    assert low * (1 - 1e-12) <= leaving <= high * (1 + 1e-12)


@given(c=st.floats(0.01, 1e4), s=st.floats(0.01, 1e3), ratio=st.floats(1e-6, 1e6))
def test_one_purchase_more(c, s, ratio):
    """Contiguous functions: (c + s) H(c) = s + c (1 - rho) H(c + 1), whichever of the two routes is taken."""
    here, after = leaves_first([c, c + 1], s, ratio)[0]
    right = s + c * (1 - ratio) * after
    assert (c + s) * here == pytest.approx(right, rel=1e-11, abs=1e-13 * (s + c * abs(1 - ratio) * after))


def test_routes_meet():
    """Continued fraction on one side of the largest ratio, integral on the other."""
    for edge in (LARGEST_RATIO, 1 / LARGEST_RATIO):
        below, above = (leaves_first(2.5, 0.6, edge * (1 + d)) for d in (-1e-9, 1e-9))
        for one, other in zip(below, above, strict=True):
            assert one == pytest.approx(other, rel=1e-8)


def test_share_of_simulated_races():
    rng = np.random.default_rng(1)
    n, c, s, alpha, beta = 400_000, 1.7, 0.6, 30.0, 90.0
    buys = rng.exponential(size=n) / rng.gamma(c, 1 / alpha, n)
    leaves = rng.exponential(size=n) / rng.gamma(s, 1 / beta, n)
    assert (leaves < buys).mean() == pytest.approx(leaves_first(c, s, beta / alpha)[0], abs=4 * 0.5 / np.sqrt(n))


def test_arguments_broadcast_and_keep_their_shape():
    value, *_ = leaves_first(np.array([[1.0], [2.0]]), 0.5, np.array([0.5, 1.0, 2.0]))
    assert value.shape == (2, 3)
    assert value[1, 2] == leaves_first(2.0, 0.5, 2.0)[0]


def test_extremes_stay_finite():
    ends = [1e-8, 1.0, 3.6e9]
    c, s, ratio = (grid.ravel() for grid in np.meshgrid(ends, ends, [1e-17, 1e-9, 1.0, 1e9, 1e17]))
    parts = leaves_first(c, s, ratio)
    assert np.isfinite(parts).all()
    assert ((parts[0] > 0) & (parts[0] <= 1)).all()
