"""What all fitters of `loyalty.from_lifetimes` share."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..errors import SettingsError
from .lifetimes_calls import IGNORED, check_options, confidence_intervals, load, save
from .likelihood import LikelihoodModel


class Fitter(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What all fitters share.

    Parameters
    ----------
    penalizer_coef : float, default 0
        Only 0: a penalty pulls the parameters to zero (.001 halves a and b), and no fit here needs one.

    Attributes
    ----------
    model_ : the fitted model.
    params_, standard_errors_ : Series by parameter.
    variance_matrix_, confidence_intervals_ : DataFrames as in lifetimes; 95 % bounds.
    data : DataFrame of what the fit was given; not there after `load_model`.

    Raises
    ------
    SettingsError
        For any other penalty.
    """

    _model: ClassVar[type[LikelihoodModel]]
    _ignored: ClassVar[tuple[str, ...]] = IGNORED

    def __init__(self, penalizer_coef: float = 0.0) -> None:
        if penalizer_coef:
            raise SettingsError(
                f"penalizer_coef: expected 0, got {penalizer_coef!r}: a penalty pulls the estimates to zero, and the "
                "fit needs none; leave it out"
            )
        self.penalizer_coef = penalizer_coef

    def save_model(
        self, path: str | os.PathLike[str], save_data: bool = False, save_generate_data_method: bool = False
    ) -> None:
        """Write the fit as JSON, without data; an earlier fit there is replaced.

        Raises
        ------
        NotFittedError, SettingsError, DataError
            Before `fit`; where data or methods are to be saved; if another kind of file is there.
        """
        check_is_fitted(self, "model_")
        if save_data or save_generate_data_method:
            raise SettingsError("save_data, save_generate_data_method: expected False: a saved fit is numbers alone")
        save(path, type(self).__name__, self.model_)

    def load_model(self, path: str | os.PathLike[str]) -> None:
        """Take over a fit that `save_model` wrote.

        Raises
        ------
        DataError
            If there is none, or it is of another fitter.
        """
        self._adopt(load(path, type(self).__name__, self._new_model()))
        self.__dict__.pop("data", None)

    @property
    def summary(self) -> pd.DataFrame:
        """Estimates with standard errors and 95 % bounds, named as in lifetimes."""
        check_is_fitted(self, "model_")
        errors = {"coef": self.params_, "se(coef)": self.standard_errors_}
        return pd.DataFrame(errors | dict(self.confidence_intervals_.items()))

    def _new_model(self) -> LikelihoodModel:
        model = self._model()
        # The unit of the times is known to the caller alone.
        model._in_days = False
        return model

    def _fit(self, histories: pd.DataFrame, weights: ArrayLike | None, options: dict[str, Any]) -> Self:
        index = options.pop("index", None)
        check_options(options, self._ignored)
        weighted = histories if weights is None else histories.assign(weight=np.asarray(weights, dtype="float64"))
        self._adopt(self._new_model().fit(weighted))
        self.data = histories.assign(weights=1 if weights is None else weighted["weight"])
        if index is not None:
            self.data = self.data.set_axis(index)
        return self

    def _adopt(self, model: LikelihoodModel) -> None:
        self.model_: Any = model
        self.params_ = model.params_.rename(None)
        self.variance_matrix_, self.standard_errors_ = model.covariance_, model.standard_errors_.rename(None)
        self.confidence_intervals_ = confidence_intervals(self.params_, self.standard_errors_)

    def _seen(self, argument: str, column: str) -> int:
        """Largest value of the data of the fit, for an argument that was left out."""
        check_is_fitted(self, "model_")
        if not hasattr(self, "data"):
            raise SettingsError(f"{argument}: expected a number, as a loaded fit has no data to take it from")
        return int(self.data[column].max())
