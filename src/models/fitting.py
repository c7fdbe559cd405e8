"""Maximum likelihood on log-parameters: search, polish, and the information at the optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from .validation import FloatArray

Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""Positive parameters -> (log-likelihood, its gradient in those parameters)."""

LOG_BOUNDS = (-18.0, 22.0)
"""Search range of a log-parameter; an estimate at an end of it has run away."""

FLAT_LOG_DEVIATION = 3.0
"""A direction in which log-parameters have a larger standard deviation than this is not identified.

Three on the log scale is a 90 % interval over four orders of magnitude.
"""

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


def maximise(objective: Objective, start: FloatArray, scale: float) -> Optimum:
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
    """

    def loss(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = _on_log_scale(objective, log_parameters)
        return -value / scale, -gradient / scale

    # A BLAS that spins its threads on vectors of four numbers costs more than the likelihood.
    with threadpool_limits(limits=1, user_api="blas"):
        found = minimize(
            loss,
            np.clip(np.log(start), *LOG_BOUNDS),
            jac=True,
            method="L-BFGS-B",
            bounds=[LOG_BOUNDS] * len(start),
            options={"maxiter": 500, "ftol": 1e-10, "gtol": 1e-7},
        )
        log_parameters, information, settled = _polish(objective, np.asarray(found.x))
    return _describe(objective, log_parameters, information, settled)


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
        if gain < 1e-10:
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
