"""Maximum likelihood on log-parameters: search, polish, and the information at the optimum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from .validation import FloatArray

Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""Positive parameters -> (log-likelihood, its gradient in those parameters)."""

BLOCK = 8192
"""Rows at a time in a sum over customers: what is computed for them stays in the processor's cache."""

LOG_BOUNDS = (-18.0, 22.0)
"""Search range of a log-parameter; an estimate at an end of it has run away."""

FLAT_LOG_DEVIATION = 3.0
"""A direction in which log-parameters have a larger standard deviation than this is not identified.

Three on the log scale is a 90 % interval over four orders of magnitude.
"""

RISE = 1e-6
"""Units of log-likelihood by which the end of a further start must be higher to be preferred."""

STEP = 1e-4
"""Relative step of the central differences; truncation and rounding error both lie under 1e-7."""


@dataclass(frozen=True)
class Optimum:
    """Where a maximisation ended.

    Attributes
    ----------
    parameters : ndarray of shape (k,)
        Estimates.
    log_likelihood : float
        Its value there.
    covariance : ndarray of shape (k, k)
        Inverse of the observed information in natural parameters; NaN for undetermined parameters.
    undetermined : tuple of int
        Positions of parameters that the data leaves open.
    converged : bool
        The gradient vanishes and every parameter is determined.
    """

    parameters: FloatArray
    log_likelihood: float
    covariance: FloatArray
    undetermined: tuple[int, ...]
    converged: bool


def maximise(
    objective: Objective,
    start: FloatArray,
    scale: float,
    sample: Objective | None = None,
    further_starts: Sequence[FloatArray] = (),
) -> Optimum:
    """Maximise a log-likelihood over positive parameters.

    L-BFGS-B on the log-parameters finds the neighbourhood, Newton steps with the differenced gradient
    finish, and the same matrix gives the standard errors.

    Parameters
    ----------
    objective : callable
        Positive parameters of shape (k,) -> (log-likelihood, gradient of shape (k,)).
    start : ndarray of shape (k,)
        Positive starting values.
    scale : float
        Number of customers; the search works on the mean log-likelihood, so that its stopping rule
        means the same for every size.
    sample : callable, optional
        The same for a sample of the customers, weighted to stand for all. Where it finds an optimum, the search
        begins there, with the curvature of the sample; the end is the same, sooner.
    further_starts : sequence of ndarrays of shape (k,), optional
        Tried where the first start leads to a ridge: the highest end is returned, the first of ends alike.
    """
    optimum = _maximise(objective, start, scale, sample)
    if optimum.converged or not further_starts:
        return optimum
    ends = [_maximise(objective, start, scale, None) for start in further_starts]
    highest = max(ends, key=lambda end: end.log_likelihood)
    return highest if highest.log_likelihood > optimum.log_likelihood + RISE else optimum


def _maximise(objective: Objective, start: FloatArray, scale: float, sample: Objective | None) -> Optimum:
    at = np.clip(np.log(start), *LOG_BOUNDS)
    # A BLAS that spins its threads on vectors of four numbers costs more than the likelihood.
    with threadpool_limits(limits=1, user_api="blas"):
        near = None if sample is None else _begin_at_sample(objective, sample, at, scale)
        log_parameters, information, settled = _polish(
            objective, _climb(objective, at, scale) if near is None else near
        )
    return _describe(objective, log_parameters, information, settled)


def _climb(objective: Objective, at: FloatArray, scale: float) -> FloatArray:
    """Find the neighbourhood of the optimum, on the log scale."""

    def loss(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = _on_log_scale(objective, log_parameters)
        return -value / scale, -gradient / scale

    found = minimize(
        loss,
        at,
        jac=True,
        method="L-BFGS-B",
        bounds=[LOG_BOUNDS] * at.size,
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7},
    )
    return np.asarray(found.x)


def _begin_at_sample(objective: Objective, sample: Objective, at: FloatArray, scale: float) -> FloatArray | None:
    """Step from the optimum of a sample to that of all.

    The curvature of the sample is the first guess of a quasi-Newton search, and nearly right. None where the
    sample has no clear optimum, or is not near that of all.
    """
    at, information, settled = _polish(sample, _climb(sample, at, scale))
    if not settled or _undetermined(at, information):
        return None
    value, gradient = _on_log_scale(objective, at)
    for _ in range(10):
        step = np.linalg.solve(information, gradient)
        before, left = (value, gradient), float(gradient @ step)
        if np.abs(step).max() > 1:
            return None
        at = at + step
        # One exact step from here leaves nothing of what this one leaves.
        if left < 1e-4:
            return at
        value, gradient = _on_log_scale(objective, at)
        turned, seen = before[1] - gradient, information @ step
        if value < before[0] or turned @ step <= 0:
            return None
        information += np.outer(turned, turned) / (turned @ step) - np.outer(seen, seen) / (seen @ step)
    return None


def _on_log_scale(objective: Objective, log_parameters: FloatArray) -> tuple[float, FloatArray]:
    parameters = np.exp(log_parameters)
    value, gradient = objective(parameters)
    return value, gradient * parameters


def observed_information(objective: Objective, log_parameters: FloatArray) -> FloatArray:
    """Negative Hessian of the log-likelihood in the log-parameters, shape (k, k).

    Central differences of the analytic gradient, made symmetric.
    """
    k = log_parameters.size
    information = np.empty((k, k))
    for i, unit in enumerate(np.eye(k) * STEP):
        _, up = _on_log_scale(objective, log_parameters + unit)
        _, down = _on_log_scale(objective, log_parameters - unit)
        information[i] = (down - up) / (2 * STEP)
    return (information + information.T) / 2


def _polish(objective: Objective, at: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
    """Newton steps until another one would gain nothing; stops early on a ridge."""
    value, gradient = _on_log_scale(objective, at)
    information = observed_information(objective, at)
    gain = np.inf
    for _ in range(25):
        if np.linalg.eigvalsh(information)[0] < FLAT_LOG_DEVIATION**-2:
            return at, information, False
        step = np.linalg.solve(information, gradient)
        gain = float(gradient @ step) / 2
        if gain < 1e-14:
            break
        step *= min(1.0, 1.0 / np.abs(step).max())
        for _ in range(10):
            trial = np.clip(at + step, *LOG_BOUNDS)
            trial_value, trial_gradient = _on_log_scale(objective, trial)
            if trial_value >= value - 1e-12 * abs(value):
                break
            step /= 2
        else:
            break
        at, value, gradient = trial, trial_value, trial_gradient
        # A step that gains this little cannot have changed the curvature noticeably.
        if gain > 1e-4:
            information = observed_information(objective, at)
    return at, information, gain < 1e-6


def _describe(objective: Objective, at: FloatArray, information: FloatArray, settled: bool) -> Optimum:
    parameters = np.exp(at)
    value, _ = objective(parameters)
    undetermined = _undetermined(at, information)
    kept = np.array([i for i in range(at.size) if i not in undetermined], dtype=np.intp)
    covariance = np.full(information.shape, np.nan)
    if kept.size:
        block = information[np.ix_(kept, kept)]
        scale = np.outer(parameters[kept], parameters[kept])
        covariance[np.ix_(kept, kept)] = np.linalg.inv(block) * scale
    return Optimum(parameters, value, covariance, undetermined, settled and not undetermined)


def _undetermined(at: FloatArray, information: FloatArray) -> tuple[int, ...]:
    """Positions that move along a flat direction, or stand at the end of the search range."""
    values, directions = np.linalg.eigh(information)
    flat = values < FLAT_LOG_DEVIATION**-2
    moving = (np.abs(directions[:, flat]) > 0.2).any(axis=1)
    edge = np.minimum(at - LOG_BOUNDS[0], LOG_BOUNDS[1] - at) < 1e-3
    marked = moving | edge
    kept = ~marked
    if kept.any() and np.linalg.eigvalsh(information[np.ix_(kept, kept)])[0] <= 0:
        marked[:] = True
    return tuple(int(i) for i in np.flatnonzero(marked))
