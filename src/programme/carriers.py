"""Which groups of customers carry the change of a measure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from .goal_measures import Groups, Measured, by_group


def between(
    measure: str, seen: Measured, ends: Sequence[date], starts: date, groups: Groups | None
) -> tuple[pd.DataFrame, tuple[date, ...]]:
    """Who carries the change from the last period before the start, else the first after it, to the last.

    Parameters
    ----------
    measure : see `aims.RANGES`.
    seen : where it is measured.
    ends : of the periods that are known, in order.
    starts : first day of the goal.
    groups : customers by what they were at a date.

    Returns
    -------
    See `carriers` and `counted`, with customers_before and customers_after; and the ends of the two periods. Empty
    without groups, or where no two periods are known.
    """
    before = [end for end in ends if end <= starts]
    first = before[-1] if before else ends[0] if ends else None
    if groups is None or first is None or first == ends[-1]:
        return pd.DataFrame(), ()
    old, new = (by_group(measure, seen, end, groups) for end in (first, ends[-1]))
    found = (counted if measure == "members" else carriers)(old, new)
    customers = {
        f"customers_{name}": part["customers"].reindex(found.index, fill_value=0)
        for name, part in (("before", old), ("after", new))
    }
    return found.assign(**customers), (first, ends[-1])


def carriers(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    r"""Which groups carry the change of a ratio: by their own change, and by their weight.

    With w the share of the denominator and r the ratio of a group, R of all (Kitagawa 1955, Journal of the American
    Statistical Association 50 (272), 1168-1194),

    .. math:: R_1 - R_0 = \sum_g \frac{w_{g0} + w_{g1}}{2} (r_{g1} - r_{g0})
              + \sum_g (w_{g1} - w_{g0}) \Bigl(\frac{r_{g0} + r_{g1}}{2} - \frac{R_0 + R_1}{2}\Bigr).

    A group that is missing on one side has the ratio of the other there, so that its change is one of weight.

    Parameters
    ----------
    before, after : numerator and denominator by group.

    Returns
    -------
    weight_before, weight_after (shares), rate_before, rate_after, rate_effect, mix_effect, effect (their sum) : index
        group, the largest effect first. The effects of all groups add up to the change.
    """
    groups = before.index.union(after.index)
    old, new = (frame.reindex(groups, fill_value=0.0) for frame in (before, after))
    weights = [frame["denominator"] / frame["denominator"].sum() for frame in (old, new)]
    totals = [frame["numerator"].sum() / frame["denominator"].sum() for frame in (old, new)]
    rates = [frame["numerator"] / frame["denominator"].where(frame["denominator"] != 0) for frame in (old, new)]
    first, second = rates[0].fillna(rates[1]).fillna(0.0), rates[1].fillna(rates[0]).fillna(0.0)
    rate = (weights[0] + weights[1]) / 2 * (second - first)
    mix = (weights[1] - weights[0]) * ((first + second) / 2 - sum(totals) / 2)
    frame = pd.DataFrame(
        {
            "weight_before": weights[0], "weight_after": weights[1], "rate_before": rates[0], "rate_after": rates[1],
            "rate_effect": rate, "mix_effect": mix, "effect": rate + mix,
        }
    )  # fmt: skip
    return frame.loc[frame["effect"].abs().sort_values(ascending=False, kind="stable").index]


def counted(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The same of a number of customers: each group's change is its effect; there is no rate."""
    both = pd.DataFrame({"before": before["numerator"], "after": after["numerator"]}).fillna(0.0)
    frame = both.assign(effect=both["after"] - both["before"])
    return frame.loc[frame["effect"].abs().sort_values(ascending=False, kind="stable").index]
