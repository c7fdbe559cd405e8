"""A bounded search for better settings of the blend's trees, on earlier dates only.

The defaults are meant to win: what is found replaces them only if it is clearly better on a later date than any that
the search has seen. Optuna is an extra: `pip install 'loyalty[tune]'`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from ..errors import EngineError, RefusedError, SettingsError
from ..whole import write_whole
from .backtest import Origin
from .reliability import log_losses
from .validation import FloatArray

TRIALS = 30
SEED = 20171203
NEEDED = 4
"""Past dates without which nothing can be tuned: one not to look at, one to confirm, one to search, one to learn."""

DRAWS = 2000
FILE = "settings.json"

BOUNDS: dict[str, tuple[float, float]] = {
    "eta": (0.02, 0.2),
    "max_depth": (2, 6),
    "min_child_weight": (1.0, 100.0),
    "subsample": (0.5, 1.0),
    "colsample_bytree": (0.2, 1.0),
}
"""Settings that are searched, and between what."""

WHOLE = ("max_depth",)
LOGARITHMIC = ("eta", "min_child_weight")


class Model(Protocol):
    """What is tuned; see `tournament.Contender`."""

    def fit(self, past: Sequence[Origin], /) -> Any:
        """Learn from past dates, the latest first."""

    def predict(self, at: Origin, /) -> pd.DataFrame:
        """churn_probability of each customer of a date, whose outcome is not looked at."""


class Tuned(NamedTuple):
    """What a search found.

    Attributes
    ----------
    settings : to use: the best found, or none (the defaults) if that is not clearly better.
    best : the best found.
    gain, low, high : log-loss of the defaults less that of the best, on a later date than the search saw; 90 %.
    trials : one row a trial: its settings and log_loss (mean over the dates searched); the defaults first.
    seed : of the search.
    """

    settings: dict[str, float]
    best: dict[str, float]
    gain: float
    low: float
    high: float
    trials: pd.DataFrame
    seed: int

    @property
    def better(self) -> bool:
        """Whether the best is clearly better than the defaults."""
        return self.low > 0


def tune(
    past: Sequence[Origin],
    make: Callable[..., Model],
    *,
    trials: int = TRIALS,
    seed: int = SEED,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Tuned:
    """Search settings on past dates, and confirm the best on a later one.

    The latest date is never looked at, for the contest of models is held on it. The one before confirms. On those
    before that, each trial learns from all dates earlier than the one it is judged on.

    Parameters
    ----------
    past : dates whose horizon is over, the latest first.
    make : the model, from settings, see `Model`.
    trials : fits are this many times the dates searched; the search stops there.
    seed : the same seed, data and versions find the same.
    bounds : setting → lowest and highest; `BOUNDS` if not given.
    progress : told how many trials are done, and of how many.

    Raises
    ------
    EngineError
        If Optuna is not installed.
    RefusedError
        If there are fewer than four past dates.
    """
    optuna = _optuna()
    if len(past) < NEEDED:
        raise RefusedError(
            f"nothing can be tuned on {len(past)} past dates; expected at least {NEEDED}; the defaults are used: raise "
            "study.origins, or wait for a longer log"
        )
    confirming, searched = past[1:], past[2:]
    space, rows = dict(bounds or BOUNDS), [{"log_loss": _loss(searched, make, {})}]

    def objective(trial: Any) -> float:
        settings = {name: _suggested(trial, name, *space[name]) for name in space}
        rows.append(settings | {"log_loss": _loss(searched, make, settings)})
        progress(len(rows) - 1, trials)
        return rows[-1]["log_loss"]

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=trials)
    best = dict(study.best_params)
    gains = _losses(confirming, make, {}) - _losses(confirming, make, best)
    low, high = _interval(gains, seed)
    table = pd.DataFrame(rows, columns=[*space, "log_loss"])
    return Tuned(best if low > 0 else {}, best, float(gains.mean()), low, high, table, seed)


def _optuna() -> ModuleType:
    try:
        optuna = import_module("optuna")
    except ImportError:
        raise EngineError("tuning needs Optuna, which is not installed: pip install 'loyalty[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _suggested(trial: Any, name: str, low: float, high: float) -> float:
    logarithmic = name in LOGARITHMIC
    if name in WHOLE:
        return int(trial.suggest_int(name, int(low), int(high), log=logarithmic))
    return float(trial.suggest_float(name, low, high, log=logarithmic))


def _loss(dates: Sequence[Origin], make: Callable[..., Model], settings: Mapping[str, float]) -> float:
    """Mean log-loss over the dates that have an earlier one to learn from."""
    each = [_losses(dates[place:], make, settings).mean() for place in range(len(dates) - 1)]
    return float(np.mean(each))


def _losses(dates: Sequence[Origin], make: Callable[..., Model], settings: Mapping[str, float]) -> FloatArray:
    """Log-loss of each customer of the first date, by a model that learned from the others."""
    tested, *learned = dates
    if tested.churned is None:
        raise ValueError("the horizon of this date is not over")
    model = make(**settings)
    model.fit(learned)
    said = model.predict(tested)["churn_probability"].to_numpy("float64")
    return log_losses(tested.churned.loc[tested.features.index].to_numpy("float64"), said)


def _interval(gains: FloatArray, seed: int) -> tuple[float, float]:
    """90 % of the mean, by a bootstrap over customers."""
    random, count = np.random.default_rng(seed), len(gains)
    drawn = [gains[random.integers(count, size=count)].mean() for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(low), float(high)


def write(tuned: Tuned, folder: Path) -> Path:
    """Write what was found to `settings.json`; the file appears whole or not at all.

    Parameters
    ----------
    tuned : what was found.
    folder : `data/processed/<dataset>`; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "settings": tuned.settings,
        "better": tuned.better,
        "best": tuned.best,
        "log_loss_gain": {"mean": tuned.gain, "low": tuned.low, "high": tuned.high},
        "trials": len(tuned.trials) - 1,
        "seed": tuned.seed,
    }
    place = folder / FILE
    write_whole(place, (json.dumps(content, indent=2) + "\n").encode())
    return place


def read(folder: Path, bounds: Mapping[str, tuple[float, float]] | None = None) -> dict[str, float]:
    """Settings that were found; none, which means the defaults, if nothing was tuned or nothing better found.

    Raises
    ------
    SettingsError
        If the file is broken, or names a setting that there is not, or a value outside the bounds.
    """
    place, space = folder / FILE, bounds or BOUNDS
    try:
        found = json.loads(place.read_text("utf-8"))["settings"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        raise SettingsError(f"{place}: not a file of settings; delete it, or tune again") from None
    if not isinstance(found, dict):
        raise SettingsError(
            f"{place}: settings: expected a table, found {type(found).__name__}; delete it, or tune again"
        )
    for name, value in found.items():
        _check(place, name, value, space)
    return found


def _check(place: Path, name: str, value: object, space: Mapping[str, tuple[float, float]]) -> None:
    if name not in space:
        raise SettingsError(
            f"{place}: settings.{name}: no such setting; expected one of {', '.join(space)}; tune again"
        )
    low, high = space[name]
    whole = isinstance(value, int) or name not in WHOLE
    if isinstance(value, bool) or not isinstance(value, int | float) or not whole or not low <= value <= high:
        kind = "a whole number" if name in WHOLE else "a number"
        raise SettingsError(
            f"{place}: settings.{name}: expected {kind} from {low:g} to {high:g}, found {value!r}; tune again"
        )
