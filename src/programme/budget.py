"""The budget of the programme: plan against actual by phase and kind, what is left, and what it brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from ..aims import KINDS, Budget, Phase
from ..errors import DataError
from .effect import Interval
from .profit_and_loss import ProfitAndLoss

COLUMNS = ("plan", "due", "actual", "spread", "left")


@dataclass(frozen=True)
class Return:
    """What the programme brought for what was spent on it.

    Attributes
    ----------
    spent : money, of the budget, as far as it is known.
    missing : lines of the budget, `phase.kind`, whose phase has begun and of which nobody knows what was spent.
    margin : margin on the sales that the programme caused, at usual prices, less discounts, money; None where no
        effect is identified or the discounts are not known.
    profit : that less what was spent, money; None where either is not known.
    on_spend : profit for each unit of money spent; None too where nothing was.
    at_most : whether the discounts are a lower bound, and with it all that was earned an upper one.
    """

    spent: float
    missing: tuple[str, ...]
    margin: Interval | None
    profit: Interval | None
    on_spend: Interval | None
    at_most: bool = False


def account(budget: Budget, as_of: date, measured: Mapping[tuple[str, str], float] | None = None) -> pd.DataFrame:
    """Plan against actual.

    Parameters
    ----------
    budget : of the dataset file.
    as_of : first day that is not known.
    measured : (phase, kind) → money spent as far as the log tells; the dataset file's own figure comes first.

    Returns
    -------
    One row a phase and kind that is planned or was spent on, index (phase, kind), in their order:

    plan : money for the whole phase; 0 where none was planned.
    due : what of it is due by `as_of`, spread evenly over the days of the phase.
    actual : spent so far; null where nobody knows.
    spread : actual less due; above zero is overspent.
    left : plan less actual; below zero is overspent whatever comes.

    Raises
    ------
    DataError : `measured` names what is no phase of this budget, or no kind, or holds no money.
    """
    told = dict(measured or {})
    for (phase, kind), money in told.items():
        if phase not in budget.phases or kind not in KINDS or not (np.isfinite(money) and money >= 0):
            raise DataError(
                f"budget.{phase}.{kind}: expected money of 0 or more for a phase among "
                f"{', '.join(budget.phases) or 'none'} and a kind among {', '.join(KINDS)}, found {money!r}"
            )
    index = pd.MultiIndex.from_product([list(budget.phases), KINDS], names=["phase", "kind"])
    rows = [_row(budget.phases[phase], kind, as_of, told.get((phase, kind))) for phase, kind in index]
    frame = pd.DataFrame(rows, index, columns=["plan", "due", "actual"], dtype=float)
    frame = frame[(frame["plan"] > 0) | frame["actual"].notna()]
    return frame.assign(spread=frame["actual"] - frame["due"], left=frame["plan"] - frame["actual"])


def totals(lines: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Sums of an account by `phase` or `kind`, or one row `all`.

    Returns
    -------
    plan, due, actual, spread, left : as in `account`. What is not known is left out of `actual`, and so are its plan
        and what was due of it out of `spread` and `left`: only what is known on both sides is held against each other.
    unknown : lines whose actual is not known.
    """
    keys = lines.index.get_level_values(by) if by else np.repeat("all", len(lines))
    summed = lines[list(COLUMNS)].groupby(keys, sort=False).sum(min_count=1)
    return summed.assign(unknown=lines["actual"].isna().groupby(keys, sort=False).sum())


def brought(lines: pd.DataFrame, earned: ProfitAndLoss | None) -> Return:
    """The return on the budget.

    The budget stands for the costs of contact and points of the account: they are not counted twice. Discounts at the
    till are no part of a budget, and are taken off as the account knows them. All error is that of the effect.

    Parameters
    ----------
    lines : see `account`.
    earned : what the programme caused, of the whole time that was paid for; None where nobody knows.
    """
    spent = float(lines["actual"].sum())
    unknown = lines.index[lines["actual"].isna() & (lines["due"] > 0)]
    missing = tuple(f"{phase}.{kind}" for phase, kind in unknown)
    margin = None if earned is None else _margin(earned)
    if margin is None:
        return Return(spent, missing, None, None, None)
    profit = None if missing else _less(margin, spent)
    on_spend = profit.times(1 / spent) if profit and spent else None
    return Return(spent, missing, margin, profit, on_spend, at_most=bool(earned and earned.at_most))


def _margin(earned: ProfitAndLoss) -> Interval | None:
    caused, discount = earned.incremental_margin, earned.costs.discount
    return None if caused is None or discount is None else _less(caused, discount)


def _less(found: Interval, money: float) -> Interval:
    return Interval(found.estimate - money, found.low - money, found.high - money)


def _row(phase: Phase, kind: str, as_of: date, measured: float | None) -> tuple[float, float, float | None]:
    """Plan, what of it is due, actual."""
    plan, own = getattr(phase.plan, kind) or 0.0, getattr(phase.actual, kind)
    length = (phase.ends - phase.starts).days + 1
    over = min(max((as_of - phase.starts).days / length, 0.0), 1.0)
    return plan, plan * over, measured if own is None else own
