"""Contenders that forecast the same customers at the same past dates, each from what was known by then.

A tournament is played on rolling origins: at each, contenders learn from the dates before it, whose horizon was over by
then, and forecast what the customers active at it do next. No customer is ever drawn at random into a test, but where
the log knows a single past date; see `play`.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from ..errors import DataError
from .backtest import Origin
from .validation import FloatArray

FORECASTS = ("churn_probability", "expected_orders", "expected_spend", "median_spend")
"""What a contender may forecast of each customer, beside the ends of its intervals: expected_spend_low and so on."""

OUTCOMES = ("churned", "amounts")
"""Fields of an origin that hold what came after it."""

FOLDS = 5


class Contender(Protocol):
    """What can play. It may lack some of `FORECASTS`, and raises DataError where it cannot learn from so little."""

    @property
    def name(self) -> str:
        """As readers know it."""
        ...

    def fit(self, past: Sequence[Origin], /) -> Any:
        """Learn, anew, from past origins, the latest first; the horizon of each is over."""
        ...

    def predict(self, at: Origin, /) -> pd.DataFrame:
        """Some of `FORECASTS` for each row of `at.features`; what came after that date is not to be looked at."""
        ...


class Round(NamedTuple):
    """One past date with what came after it.

    Attributes
    ----------
    day : the date.
    origin : what contenders see of it; what came after, only where they learn from it.
    outcomes : index customer, those of `origin.features` among them; churned, purchases, spend in the horizon.
    over : first day after its horizon; before it nobody can learn from this date. None: by the next later round.
    tested : false where it is only learned from.
    """

    day: date
    origin: Origin
    outcomes: pd.DataFrame
    over: date | None = None
    tested: bool = True


class Played(NamedTuple):
    """All forecasts of a tournament beside what happened.

    Attributes
    ----------
    days : the tested dates, the latest first.
    outcomes : one frame a date: index customer; churned, purchases, spend.
    forecasts : contender → one frame a date, rows as in `outcomes`; contenders in order of simplicity, only those
        that could play at every date.
    notes : contender → why it did not play, or what its fits warned of.
    skipped : date → why nothing could be tested there.
    learned : outcomes learned from, one number a date.
    later : whether each test was later than all that was learned from; else customers were tested on others.
    """

    days: list[date]
    outcomes: list[pd.DataFrame]
    forecasts: dict[str, list[pd.DataFrame]]
    notes: dict[str, list[str]]
    skipped: dict[str, str]
    learned: list[int]
    later: bool


def play(
    contenders: Sequence[Contender], rounds: Sequence[Round], told: Callable[[str], None] = lambda _: None
) -> Played:
    """Let contenders forecast each date from those before it.

    Where there is one date only, they forecast each fifth of its customers from the other four fifths: a test on
    others, not on a later time.

    Parameters
    ----------
    contenders : the simplest first; the first is the rule to beat.
    rounds : the latest first; each but the last of those to be tested is, and is learned from by those later.
    told : is told what is being done.

    Raises
    ------
    DataError
        If no date has both leavers and stayers, in its test and in what could be learned for it.
    """
    wanted = [at for at, each in enumerate(rounds) if each.tested]
    later = len(wanted) > 1
    tested = wanted[:-1] if later else wanted
    skipped = {rounds[at].day.isoformat(): reason for at in tested if (reason := _one_sided(rounds, at))}
    kept = [at for at in tested if rounds[at].day.isoformat() not in skipped]
    if not kept:
        reason = next(iter(skipped.values()), "the log knows no date whose horizon is over")
        raise DataError(f"nothing can be tested: {reason}; lengthen or shorten horizon_days, or active_within_days")
    forecasts: dict[str, list[pd.DataFrame]] = {}
    notes: dict[str, list[str]] = {}
    for contender in contenders:
        told(contender.name)
        try:
            forecasts[contender.name] = [_forecast(contender, rounds, at, notes) for at in kept]
        except DataError as error:
            notes[contender.name] = [f"did not play: {error}"]
    if not forecasts:
        raise DataError(f"no contender could play: {'; '.join(note for each in notes.values() for note in each)}")
    return Played(
        [rounds[at].day for at in kept],
        [rounds[at].outcomes.loc[rounds[at].origin.features.index] for at in kept],
        forecasts,
        notes,
        skipped,
        [sum(len(each.origin.features) for each in _before(rounds, at)) for at in kept],
        later,
    )


def _before(rounds: Sequence[Round], at: int) -> list[Round]:
    """The rounds that were over at the date of another."""
    return [each for each in rounds[at + 1 :] if each.over is None or each.over <= rounds[at].day]


def _one_sided(rounds: Sequence[Round], at: int) -> str:
    """Why a date cannot be tested; empty if it can."""
    for where, some in (("in the test", rounds[at : at + 1]), ("before it", _before(rounds, at) or rounds)):
        shares = [each.outcomes.loc[each.origin.features.index, "churned"].to_numpy("float64") for each in some]
        share = float(np.concatenate(shares).mean()) if sum(map(len, shares)) else np.nan
        if not 0 < share < 1:
            who = "no customer was active" if np.isnan(share) else "everyone left" if share else "nobody left"
            return f"{where} {who}"
    return ""


def _forecast(contender: Contender, rounds: Sequence[Round], at: int, notes: dict[str, list[str]]) -> pd.DataFrame:
    """What a contender says of one date, checked."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        past = [each.origin for each in _before(rounds, at)]
        if past:
            contender.fit(past)
            said = contender.predict(_hidden(rounds[at].origin))
        else:
            said = _across_customers(contender, rounds[at].origin)
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        if text not in notes.setdefault(contender.name, []):
            notes[contender.name].append(text)
    return _checked(said.loc[rounds[at].origin.features.index], contender.name)


def _hidden(origin: Origin) -> Origin:
    """A date without what came after it."""
    return origin._replace(**{name: None for name in OUTCOMES if name in origin._fields})


def _across_customers(contender: Contender, at: Origin) -> pd.DataFrame:
    """Each fifth of the customers by a contender that learned from the other four."""
    order = np.random.default_rng(7).permutation(len(at.features))
    parts = []
    for fold in range(FOLDS):
        held_out = np.sort(order[fold::FOLDS])
        contender.fit([at._replace(features=at.features.drop(at.features.index[held_out]))])
        parts.append(contender.predict(_hidden(at._replace(features=at.features.iloc[held_out]))))
    return pd.concat(parts)


def _checked(said: pd.DataFrame, name: str) -> pd.DataFrame:
    """The forecasts as they came, if they are numbers and probabilities; a contender that errs here has a bug."""
    wrong = [column for column in said if not np.isfinite(said[column].to_numpy("float64")).all()]
    if "churn_probability" in said and not said["churn_probability"].between(0, 1).all():
        wrong.append("churn_probability")
    if wrong:
        raise ValueError(f"{name} forecasts no finite number, or no probability, in {', '.join(dict.fromkeys(wrong))}")
    return said.astype("float64")


def resamples(index: Sequence[pd.Index], draws: int, random: np.random.Generator) -> list[FloatArray]:
    """How often each customer is drawn, for a bootstrap over customers that leaves the rows of one together.

    Parameters
    ----------
    index : the customers of each date; one may be there at several.
    draws, random : how often to draw, and from what.

    Returns
    -------
    One array a date, shape (draws, customers of the date), each customer's column the same at every date.

    Examples
    --------
    >>> first, second = resamples([pd.Index(["a", "b"]), pd.Index(["b"])], 3, np.random.default_rng(1))
    >>> bool((first[:, 1] == second[:, 0]).all()), first.sum(axis=1).tolist()
    (True, [2.0, 2.0, 2.0])
    """
    codes, everyone = pd.factorize(np.concatenate([each.to_numpy() for each in index]), sort=True)
    drawn = random.multinomial(len(everyone), np.full(len(everyone), 1 / len(everyone)), size=draws)
    ends = np.cumsum([0, *map(len, index)])
    return [drawn[:, codes[start:end]].astype("float64") for start, end in pairwise(ends)]


def dominates(better: Mapping[str, tuple[float, float, float]]) -> bool:
    """Whether one clearly beats another: better beyond the error in something that counts, and worse in nothing.

    Parameters
    ----------
    better : measure → how much better it is, with the ends of the interval; above zero is better.

    Examples
    --------
    >>> dominates({"auc": (0.02, 0.01, 0.03), "log_loss": (0.0, -0.01, 0.01)})
    True
    >>> dominates({"auc": (0.02, 0.01, 0.03), "log_loss": (-0.02, -0.03, -0.01)})
    False
    """
    lows, highs = [low for _, low, _ in better.values()], [high for *_, high in better.values()]
    return any(low > 0 for low in lows) and not any(high < 0 for high in highs)
