"""What goals are measured by: each measure as a ratio of two sums over customers, in any period and by any group.

A measure is the sum of a numerator over the sum of a denominator, customer by customer, so that one expression gives
its value, its error (customers are independent, the lines of one are not; Cochran 1977, Sampling Techniques, eq. 11.30)
and what each group of customers adds to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..aims import FALLS, RANGES
from ..errors import DataError, SettingsError
from ..features.columns import Tables
from ..features.histories import net_spend
from ..features.labels import labels
from ..features.rfm import segments
from ..features.windows import before, last_days
from ..points_rules import PointsRules
from .effect import QUANTILE
from .points import movements
from .satisfaction import NO_SEGMENT, latest, loyalty_of

Groups = Callable[[date], ir.Table]
"""Customer and group as they are known at a date."""

LABELS = {
    "repurchase": ("Repurchase rate", "share"),
    "churn": ("Churn rate", "share"),
    "order_value": ("Average order value", "money"),
    "redemption": ("Use of points", "share"),
    "members": ("Members", "count"),
    "nps": ("Net promoter score", "points"),
}

DEFINITIONS = {
    "repurchase": "Share of the buyers of {days} days who bought on two days or more of them.",
    "churn": "Share of the customers with a purchase in the {active} days before who bought nothing in {days} days.",
    "order_value": "Spend in {days} days, net of returns, over the number of receipts.",
    "redemption": "Points handed in within {days} days over points earned in them; what expires is not handed in.",
    "members": "Customers who have joined so far.",
    "nps": "Share of the answers of {days} days that are 9 or 10, less the share that are 0 to 6, times 100; the last "
    "answer of each customer.",
}


@dataclass(frozen=True)
class Measured:
    """Where goals are measured.

    Attributes
    ----------
    tables : of the dataset.
    days : length of a period.
    active_within_days : before a period, in which a customer has bought who may churn in it.
    survey : customer, day, score; None without one.
    points_rules : whose `kinds` say what the words of the points table mean.
    """

    tables: Tables
    days: int
    active_within_days: int
    survey: ir.Table | None = None
    points_rules: PointsRules | None = None

    def definition(self, measure: str) -> str:
        """How a measure is computed, a sentence."""
        return DEFINITIONS[known(measure)].format(days=self.days, active=self.active_within_days)

    def needs_days(self, measure: str) -> int:
        """Days of the log up to the end of a period without which the measure is not known."""
        return self.days + (self.active_within_days if known(measure) == "churn" else 0)


def known(measure: str) -> str:
    """The measure, if there is such.

    Raises
    ------
    SettingsError : it is not one of `aims.RANGES`.
    """
    if measure not in RANGES:
        raise SettingsError(f"goals.{measure}: expected a measure among {', '.join(RANGES)}, found {measure!r}")
    return measure


def better(measure: str) -> int:
    """1 where more is better, -1 where less is."""
    return -1 if known(measure) in FALLS else 1


def each(measure: str, seen: Measured, end: date) -> ir.Table:
    """Customer, numerator and denominator of a measure in the period before `end`.

    Raises
    ------
    SettingsError : the measure is not known.
    DataError : the dataset lacks the table that it is measured on.
    """
    return _EACH[known(measure)](seen, end)


def _repurchase(seen: Measured, end: date) -> ir.Table:
    recent = last_days(net_spend(seen.tables), end, seen.days)
    bought = recent.group_by("customer").agg(days=recent.purchase.sum())
    return _sums(bought.filter(bought.days > 0), lambda t: (t.days >= 2).cast("float64"))


def _churn(seen: Measured, end: date) -> ir.Table:
    start = end - timedelta(days=seen.days)
    outcomes = labels(seen.tables, start, seen.days, seen.active_within_days)
    return _sums(outcomes, lambda t: t.churned.cast("float64"))


def _order_value(seen: Measured, end: date) -> ir.Table:
    recent = last_days(net_spend(seen.tables), end, seen.days)
    spent = recent.group_by("customer").agg(spend=recent.spend.sum(), orders=recent.orders.sum())
    return _sums(spent, lambda t: t.spend, lambda t: t.orders.cast("float64"))


def _redemption(seen: Measured, end: date) -> ir.Table:
    if seen.tables.points is None:
        raise DataError("points: the dataset has no points, so their use is not known; add a [points] table")
    recent = movements(last_days(seen.tables.points, end, seen.days), seen.points_rules or PointsRules())
    earned = (recent.kind == "earn") & (recent.points > 0)
    spent = (recent.kind == "redeem") & (recent.points < 0)
    moved = recent.group_by("customer").agg(
        earned=earned.ifelse(recent.points, 0).sum().cast("float64"),
        spent=spent.ifelse(-recent.points, 0).sum().cast("float64"),
    )
    return _sums(moved, lambda t: t.spent, lambda t: t.earned)


def _members(seen: Measured, end: date) -> ir.Table:
    people = seen.tables.customers
    if people is None or "joined" not in people.columns:
        raise DataError(
            "customers.joined: the dataset does not say who joined when, so members are not known; name the column"
        )
    joined = people.filter(people.joined.notnull()).group_by("customer").agg(day=lambda t: t.joined.min())
    return _sums(before(joined, end), lambda t: ibis.literal(1.0))


def _nps(seen: Measured, end: date) -> ir.Table:
    if seen.survey is None:
        raise DataError("survey: the dataset has no answers, so the NPS is not known; add a [survey] table")
    answers = latest(seen.survey, end, seen.days)
    return _sums(answers, lambda t: loyalty_of(t.score) * 100.0)


_EACH: dict[str, Callable[[Measured, date], ir.Table]] = {
    "repurchase": _repurchase,
    "churn": _churn,
    "order_value": _order_value,
    "redemption": _redemption,
    "members": _members,
    "nps": _nps,
}


def _sums(
    table: ir.Table,
    numerator: Callable[[ir.Table], ir.Value],
    denominator: Callable[[ir.Table], ir.Value] | None = None,
) -> ir.Table:
    below = ibis.literal(1.0) if denominator is None else denominator(table)
    return table.select("customer", numerator=numerator(table), denominator=below)


def path(measure: str, seen: Measured, ends: Sequence[date]) -> pd.DataFrame:
    """A measure over the periods that end before some dates.

    Parameters
    ----------
    measure : see `aims.RANGES`.
    seen : where it is measured.
    ends : first days that the periods do not hold.

    Returns
    -------
    end, customers, value, standard_error, low, high : one row a date, in order; `low` to `high` is the 90 % interval
        of a rate that customers would have had by chance, within the measure's range. A number of members is counted
        and has no width. NaN where nobody counts.

    Raises
    ------
    SettingsError, DataError : see `each`.
    """
    parts = [_totals(each(measure, seen, end)).mutate(end=ibis.literal(end)) for end in ends]
    if not parts:
        return pd.DataFrame(columns=["end", "customers", "value", "standard_error", "low", "high"])
    table = ibis.union(*parts) if len(parts) > 1 else parts[0]
    sums = table.to_pandas().sort_values("end").reset_index(drop=True)
    return _with_error(sums, measure)


def by_group(measure: str, seen: Measured, end: date, groups: Groups) -> pd.DataFrame:
    """Sums of a measure by group, as customers were at the beginning of the period; index group."""
    rows = each(measure, seen, end)
    told = groups(end - timedelta(days=seen.days)).select("customer", "group")
    placed = rows.left_join(told, "customer").drop("customer_right")
    placed = placed.mutate(group=placed.group.coalesce(NO_SEGMENT))
    summed = placed.group_by("group").agg(
        customers=placed.count(), numerator=placed.numerator.sum(), denominator=placed.denominator.sum()
    )
    return summed.order_by("group").to_pandas().set_index("group")


def by_segment(tables: Tables) -> Groups:
    """Segments of `features.rfm` as groups."""
    return lambda day: segments(tables, day).select("customer", group="segment")


def _totals(rows: ir.Table) -> ir.Table:
    y, m = rows.numerator, rows.denominator
    return rows.agg(
        customers=rows.count(),
        y=y.sum().coalesce(0.0),
        m=m.sum().coalesce(0.0),
        yy=(y * y).sum().coalesce(0.0),
        mm=(m * m).sum().coalesce(0.0),
        ym=(y * m).sum().coalesce(0.0),
    )


def _with_error(sums: pd.DataFrame, measure: str) -> pd.DataFrame:
    n, rest = sums["customers"].astype(float), sums["m"].where(sums["m"] > 0)
    value, error = sums["y"] / rest, pd.Series(0.0, sums.index)
    if measure == "members":
        value = sums["y"]
    else:
        residual = (sums["yy"] - 2 * value * sums["ym"] + value**2 * sums["mm"]).clip(lower=0)
        error = np.sqrt(residual * n / (n - 1).where(n > 1)) / rest
    low, high = RANGES[measure]
    ends = {"low": value - QUANTILE * error, "high": value + QUANTILE * error}
    # More may be handed in than was earned in the same period.
    most = None if measure == "redemption" else high
    clipped = {name: end.clip(low, most) for name, end in ends.items()}
    return sums[["end", "customers"]].assign(value=value, standard_error=error, **clipped)
