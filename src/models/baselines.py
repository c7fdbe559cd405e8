"""The rules that a model has to beat."""

import numpy as np
import pandas as pd

from .validation import FloatArray


def rate_so_far(histories: pd.DataFrame, horizon_days: int) -> FloatArray:
    """Repeat purchases expected in the horizon if everyone goes on at the rate so far, x · h / T."""
    return np.asarray(histories["frequency"] * horizon_days / histories["T"], dtype="float64")
