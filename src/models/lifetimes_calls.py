"""What moving from and to the package ``lifetimes`` takes: its arguments, its answers, its attributes, saved fits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import DataError, SettingsError
from ..whole import write_whole
from .likelihood import LikelihoodModel
from .validation import FloatArray, nonnegative_column

FORMAT, VERSION = "loyalty-lifetimes-fit", 1

FOUND = ("log_likelihood_", "aic_", "bic_", "n_customers_", "converged_", "correlation_")
"""What a fit found beside parameters and their errors, as far as a model has it."""

IGNORED = ("initial_params", "verbose", "tol", "maxiter")
"""Options of lifetimes' searches; the search here needs none of them."""


def frame_of(**columns: ArrayLike) -> pd.DataFrame:
    """One row a customer of numbers, arrays and series alike, in the order given, with the index of the series.

    Raises
    ------
    DataError
        For lengths that do not fit, or series whose indexes differ.
    """
    arrays = {name: np.atleast_1d(np.asarray(values)) for name, values in columns.items()}
    try:
        whole = np.broadcast_arrays(*arrays.values())
    except ValueError:
        sizes = ", ".join(f"{name} {values.size}" for name, values in arrays.items())
        raise DataError(f"expected as many values of each, got {sizes}") from None
    frame = pd.DataFrame(dict(zip(columns, whole, strict=True)))
    index = _index_of(columns, len(frame))
    return frame if index is None else frame.set_axis(index)


def answer(values: FloatArray, **given: ArrayLike) -> Any:
    """Values as lifetimes gives them: a series for series, a number where all that was given are numbers."""
    if all(np.ndim(each) == 0 for each in given.values()):
        return values[0]
    index = _index_of(given, len(values))
    return values if index is None else pd.Series(values, index=index)


def ahead(frame: pd.DataFrame, ask: Callable[[pd.DataFrame, float], FloatArray], now: float) -> FloatArray:
    """Ask for each different time ahead in the column ``t``; where it is 0 the answer is ``now``.

    Raises
    ------
    DataError
        For times that are missing, infinite or negative.
    """
    t, answers = nonnegative_column(frame, "t"), np.full(len(frame), float(now))
    for each in np.unique(t[t > 0]):
        rows = t == each
        answers[rows] = ask(frame[rows], float(each))
    return answers


def check_options(given: Mapping[str, Any], ignored: tuple[str, ...]) -> None:
    """Refuse options of a fit that have no meaning here, or another one than they would be taken for.

    Raises
    ------
    SettingsError
        Naming the option.
    """
    if given.get("q_constraint"):
        raise SettingsError(
            "q_constraint: expected False: a fit here is not bent; q of 1 or less is told by an AssumptionWarning, "
            "and means that the mean spend does not exist; leave it out"
        )
    unknown = [name for name in given if name not in ignored]
    if unknown:
        raise SettingsError(
            f"{unknown[0]}: not an option of this fit; expected weights, index, or, to no effect, {', '.join(ignored)}"
        )


def confidence_intervals(params: pd.Series, errors: pd.Series) -> pd.DataFrame:
    """95 % bounds, symmetric and named as in lifetimes."""
    return pd.DataFrame({"lower 95% bound": params - 1.96 * errors, "upper 95% bound": params + 1.96 * errors})


def hand_over(model: LikelihoodModel, fitter: Any) -> Any:
    """Give a fitter the estimates of a model: all that predictions and ``summary`` of lifetimes use.

    Standard errors are left out where the model has none, as one that was never fitted.
    """
    fitter.params_ = pd.Series(model._vector(), index=list(model._names))
    if hasattr(model, "covariance_"):
        fitter.variance_matrix_ = model.covariance_.copy()
        fitter.standard_errors_ = model.standard_errors_.rename(None)
        fitter.confidence_intervals_ = confidence_intervals(fitter.params_, fitter.standard_errors_)
    if hasattr(fitter, "conditional_expected_number_of_purchases_up_to_time"):
        fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    return fitter


def save(path: str | os.PathLike[str], name: str, model: LikelihoodModel) -> None:
    """Write a fit as JSON, in one step.

    Raises
    ------
    DataError
        If there is a file that is none of these.
    """
    place = Path(path)
    if place.exists():
        _read(place)
    covariance = model.covariance_.to_numpy()
    content = {
        "format": FORMAT,
        "version": VERSION,
        "fitter": name,
        "parameters": model.params_.to_dict(),
        "covariance": [[None if np.isnan(value) else value for value in row] for row in covariance.tolist()],
        "undetermined": list(model.undetermined_),
        "found": {each: _plain(getattr(model, each)) for each in FOUND if hasattr(model, each)},
    }
    write_whole(place, json.dumps(content, indent=2, allow_nan=False).encode())


def load(path: str | os.PathLike[str], name: str, model: LikelihoodModel) -> LikelihoodModel:
    """Return the model as it was saved.

    Raises
    ------
    DataError
        If there is no file, or it is none of these, or the fit of another model.
    """
    place = Path(path)
    content = _read(place)
    if content["fitter"] != name:
        raise DataError(f"{place}: expected a fit of {name}, got one of {content['fitter']}; load it with that")
    names, fitted = list(model._names), model.with_parameters(content["parameters"])
    covariance = np.array(content["covariance"], dtype=np.float64)
    fitted.covariance_ = pd.DataFrame(covariance, index=names, columns=names)
    fitted.standard_errors_ = pd.Series(np.sqrt(np.diag(covariance)), index=names, name="standard_error")
    fitted.undetermined_ = tuple(content["undetermined"])
    for each, value in content["found"].items():
        if each in FOUND:
            setattr(fitted, each, float("nan") if value is None else value)
    return fitted


def _read(place: Path) -> dict[str, Any]:
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{place}: no such file; save a fit there first") from None
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise DataError(
            f"{place}: expected a fit saved by save_model of loyalty.from_lifetimes, got another file; files of "
            "lifetimes are pickles, which can hold code and are not read: fit again, or name another file"
        )
    return content


def _plain(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and np.isnan(plain) else plain


def _index_of(given: Mapping[str, ArrayLike], size: int) -> pd.Index | None:
    """Index of the series among the arguments, which must agree; None without series."""
    series = {name: each.index for name, each in given.items() if isinstance(each, pd.Series) and len(each) == size}
    if not series:
        return None
    first = next(iter(series))
    for name, index in series.items():
        if not index.equals(series[first]):
            raise DataError(
                f"{first} and {name}: series with different indexes; expected the same customers in the same order: "
                "align them first"
            )
    return series[first]
