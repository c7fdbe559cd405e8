"""Customers whom chance held out of a campaign, beside those who were sent it: who they are and what they did.

The days are counted from the campaign's first day, for both arms alike: a day of contact of one's own would begin the
count when a customer was reached, which those held out never were.
"""

from __future__ import annotations

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from ..errors import DataError
from ..features.columns import Tables
from ..features.histories import net_spend
from ..features.offers import Offers, arms
from ..features.sample import last_mark, up_to
from ..features.windows import before, days_until
from .cannibalisation import weekly_differences
from .differences import FloatArray

ARMS = {"treated": "treated", "held out": "control"}
MEASURES = ("spend", "orders", "purchase_days")


def campaigns(offers: Offers, as_of: date) -> pd.DataFrame:
    """Campaigns out of which customers were held, the oldest first.

    Returns
    -------
    start (day), treated, held_out (customers; those in both arms are in neither), planned (share of them who were to be
    held out; not a number where that is not known, or is no share), index campaign.
    """
    known = offers.known(as_of)
    each = arms(known.drawn)
    sizes = each.group_by("campaign").agg(
        treated=(each.arm == "treated").sum(), held_out=(each.arm == "held out").sum()
    )
    told = known.campaigns.select("campaign", "start", planned="hold_out")
    named = sizes.filter(sizes.held_out > 0).join(told, "campaign")
    frame = named.to_pandas().sort_values(["start", "campaign"], ignore_index=True)
    planned = frame["planned"].astype("float64")
    planned = planned.where(planned.between(0, 1, inclusive="neither"))
    return frame.assign(campaign=frame["campaign"].astype(str), planned=planned).set_index("campaign")


def participants(
    tables: Tables,
    offers: Offers,
    campaign: str,
    start: date,
    *,
    as_of: date,
    days: int,
    weeks: int = 0,
    covariate: str = "",
    most: int = 100_000,
) -> pd.DataFrame:
    """What those drawn for a campaign did before and after its first day.

    Parameters
    ----------
    tables : purchase days and returns.
    start : the campaign's first day.
    as_of : first day that is not known.
    days : from the first day on over which outcomes are summed, and as many before it.
    weeks : whose spend is wanted one by one.
    covariate : a measure and a number of days, such as `spend_84`, that is wanted from before too; empty for none.
    most : customers; of more, a sample that is the same in every run.

    Returns
    -------
    One row a customer, in order of customer: customer, arm (`treated` or `control`), spend (money net of returns),
    orders, purchase_days, repurchase (whether there is one), the same `... before`, the covariate by its own name, and
    the spend of each of the weeks from the first day on, `week_0` and so on, as far as they were over before `as_of`.
    Who did nothing has 0.

    Raises
    ------
    DataError : the covariate is none of these.
    """
    drawn = arms(before(offers.drawn, as_of))
    people = drawn.filter((drawn.campaign.cast("string") == campaign) & drawn.arm.isin(list(ARMS)))
    people = people.select("customer", "arm")
    people = up_to(people, last_mark(people.select("customer"), most))
    moved = before(net_spend(tables), as_of).semi_join(people, "customer")
    at = -days_until(start, moved.day)
    values = {"spend": moved.spend, "orders": moved.orders, "purchase_days": moved.purchase.cast("int64")}
    sums = {name: _sum(value, at, 0, days) for name, value in values.items()}
    sums |= {f"{name} before": _sum(value, at, -days, 0) for name, value in values.items()}
    if covariate:
        name, length = _covariate(covariate)
        sums[covariate] = _sum(values[name], at, -length, 0)
    known = min(weeks, max((as_of - start).days, 0) // 7)
    sums |= {f"week_{week}": _sum(moved.spend, at, 7 * week, 7 * week + 7) for week in range(known)}
    told = people.left_join(moved.group_by("customer").agg(**sums), "customer").drop("customer_right").to_pandas()
    told = told.sort_values("customer", ignore_index=True)
    # Sums in another order differ in the last digits.
    told[list(sums)] = told[list(sums)].astype("float64").fillna(0.0).round(9)
    return told.assign(arm=told["arm"].map(ARMS), repurchase=told["purchase_days"] > 0)


def weekly(people: pd.DataFrame) -> tuple[pd.DataFrame, FloatArray]:
    """What the campaign changed in spend by week, and its covariance, see `cannibalisation.weekly_differences`.

    What the spend before tells of a week is taken off, the same of both arms (CUPED).

    Parameters
    ----------
    people : see `participants`; with the spend of some weeks, both arms have customers.
    """
    weeks = people[[name for name in people if str(name).startswith("week_")]].to_numpy("float64")
    treated = (people["arm"] == "treated").to_numpy()
    past = people["spend before"].to_numpy("float64")
    # Within the arms, so that what the campaign changed does not pass for the past.
    inside = past - np.where(treated, past[treated].mean(), past[~treated].mean())
    size = float(inside @ inside)
    slope = inside @ weeks / size if size > 0 else np.zeros(weeks.shape[1])
    return weekly_differences(weeks - np.outer(past - past.mean(), slope), treated)


def _sum(value: ir.Value, at: ir.IntegerValue, low: int, high: int) -> ir.Value:
    return value.sum(where=(at >= low) & (at < high))


def _covariate(name: str) -> tuple[str, int]:
    measure, _, length = name.rpartition("_")
    if measure not in MEASURES or not length.isdigit() or not int(length):
        raise DataError(
            f"registered covariate {name!r}: expected one of {', '.join(MEASURES)} with a number of days, such as "
            "spend_84"
        )
    return measure, int(length)
