"""Purchases over time and by groups of customers: what happened, and what was expected."""

import numpy as np
import pandas as pd

from ....models.btyd_contest import RATE
from ....study import Study
from ... import marks, words
from ...privacy import hidden
from .models import different, in_use

OTHERS = 2
"""How many other models are drawn beside the one in use."""


def calibrated(study: Study) -> pd.Timestamp:
    """The date at which the models of the comparison were fitted."""
    return pd.Timestamp(study.purchase_models()["about"]["calibrated"])


def weeks(study: Study) -> pd.DataFrame:
    """Actual and expected repeat purchases, a row a week; see `models.tracking.track`.

    A week with too few customers to be told of is put together with those after it, so that neither it nor the sums up
    to it can be read. What is told is per seven days.

    Returns
    -------
    Index week; start, end (first day after it), days, actual, expected, low, high (a week), and the sums total_actual,
    total_expected, total_low, total_high; empty if nothing may be shown.
    """
    table = study.purchase_models()["weeks"]
    minimum = study.dataset.privacy.minimum_cell
    parts = [part for part in (table[table.index < 0], table[table.index >= 0]) if len(part)]
    told = [put_together(part, minimum) for part in parts]
    whole = pd.concat(told) if all(len(part) for part in told) else table.head(0)
    weekly = {name: whole[name] / whole["days"] * 7 for name in ("actual", "expected", "low", "high")}
    return whole.assign(end=whole["start"] + pd.to_timedelta(whole["days"], unit="D"), **weekly)


def put_together(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Weeks of which none tells of fewer customers than `minimum`, but for weeks without any.

    Parameters
    ----------
    table : start, days, customers, actual, expected, low, high, and sums up to the end of each week; in order.
    minimum : the least number of customers that may be told of.

    Returns
    -------
    The same columns; weeks of few customers are joined to the next that has enough, and at the end to the one before.
    Empty if there is none that has enough.
    """
    block, blocks, waiting = -1, [], False
    for customers in table["customers"]:
        block += not waiting
        blocks.append(block)
        waiting = 0 < customers < minimum or (waiting and customers < minimum)
    enough = np.flatnonzero(table["customers"] >= minimum)
    if not len(enough) and (table["customers"] > 0).any():
        return table.head(0)
    if waiting:
        blocks[enough[-1] :] = [blocks[enough[-1]]] * (len(blocks) - enough[-1])
    sums = dict.fromkeys(("days", "actual", "expected", "low", "high"), "sum") | {"start": "first", "customers": "max"}
    sums |= dict.fromkeys((name for name in table if str(name).startswith("total_")), "last")
    joined = table.groupby(np.asarray(blocks)).agg(sums)
    return joined.set_index(table.index[~pd.Series(blocks).duplicated().to_numpy()])[list(table)]


def whole_weeks(study: Study) -> pd.DataFrame:
    """Those of `weeks` that the log or the date does not cut."""
    table = weeks(study)
    return table[table["days"] >= 7]


def read_total(study: Study) -> str:
    """The sums over time in a sentence."""
    about, table = study.purchase_models()["about"], study.purchase_models()["weeks"]
    after = table[table.index >= 0]
    actual, expected = after["actual"].sum(), after["expected"].sum()
    return (
        f"{in_use(study)}, fitted on {words.day(about['calibrated'])} to the {words.count(about['customers'])} customers known by then. In the {words.days(about['period_days'])} after it "
        f"they bought on {words.count(actual)} days; it expected {words.whole(expected)}, {off_by(expected, actual)}. The band holds chance and the uncertainty of "
        "the parameters, but no season."
    ) + _marked(study, weeks(study))


def off_by(expected: float, actual: float) -> str:
    """How far an expectation was from what happened.

    Examples
    --------
    >>> off_by(112.0, 100.0), off_by(0.0, 0.0)
    ('12 % too many', 'as it was')
    """
    if actual == 0 or expected == actual:
        return "as it was" if expected == actual else "where nobody bought"
    return f"{words.percent(abs(expected / actual - 1))} too {'many' if expected > actual else 'few'}"


def read_weekly(study: Study) -> str:
    """The weeks in a sentence."""
    table = whole_weeks(study)
    after = table[table.index >= 0]
    if after.empty:
        return f"No week has {study.dataset.privacy.minimum_cell} customers or more."
    inside = after["actual"].between(after["low"], after["high"])
    worst = after.loc[((after["actual"] - after["expected"]).abs() / after["expected"].clip(lower=1)).idxmax()]
    more = "more" if worst["actual"] > worst["expected"] else "less"
    text = (
        f"{words.count(inside.sum())} of {words.count(len(after))} weeks after the date lie inside the band; nine of ten would, if nothing but chance "
        f"moved them. The furthest off is the week of {words.day(worst['start'])}, with {words.percent(abs(worst['actual'] / worst['expected'] - 1))} {more} than expected."
    )
    return text + _marked(study, table)


def _marked(study: Study, table: pd.DataFrame) -> str:
    """What is marked in a chart of these weeks, in a sentence."""
    return "" if table.empty else marks.read(study.events(), table["start"].min(), table["start"].max())


def counts(study: Study) -> pd.DataFrame:
    """Customers by number of repeat purchases up to the date, groups of few left out; see `models.tracking.by_count`."""
    table = study.purchase_models()["counts"]
    return table[~hidden(table["customers"], study.dataset.privacy.minimum_cell)]


def read_counts(study: Study) -> str:
    """Customers by number of repeat purchases in a sentence."""
    table = counts(study)
    if table.empty:
        return f"No group has {study.dataset.privacy.minimum_cell} customers or more."
    wrong = (table["customers"] - table["expected"]).abs().sum() / 2 / table["customers"].sum()
    inside = table["customers"].between(table["low"], table["high"]).sum()
    return (
        f"{in_use(study)} puts {words.percent(wrong)} of the customers into a wrong group; {words.count(inside)} of {words.count(len(table))} groups are as large as chance "
        "allows. This is the past that it learned from: to do well here is easy."
    )


def compared(study: Study) -> list[str]:
    """Forecasts to draw: the model in use, the best others, and the rate so far."""
    used, names = in_use(study), different(study)
    others = study.purchase_models()["table"].loc[names, "log_score"].drop(used).sort_values(ascending=False)
    return [used, *others.index[:OTHERS], RATE]


def by_frequency(study: Study) -> pd.DataFrame:
    """Purchases after the date by repeat purchases before it, groups of few left out."""
    return _told(study, "by_frequency")


def by_silence(study: Study) -> pd.DataFrame:
    """Purchases after the date by days since the last purchase, groups of few left out."""
    return _told(study, "by_silence")


def _told(study: Study, name: str) -> pd.DataFrame:
    table = study.purchase_models()[name]
    return table[~hidden(table["customers"], study.dataset.privacy.minimum_cell)]


def read_by_frequency(study: Study) -> str:
    """Purchases by past purchases in a sentence."""
    return _read_groups(study, by_frequency(study))


def read_by_silence(study: Study) -> str:
    """Purchases by silence in a sentence."""
    return _read_groups(study, by_silence(study))


def _read_groups(study: Study, table: pd.DataFrame) -> str:
    if table.empty:
        return f"No group has {study.dataset.privacy.minimum_cell} customers or more."
    used, customers = in_use(study), table["customers"]
    miss, naive = (
        float(((table[name] - table["actual"]).abs() * customers).sum() / customers.sum()) for name in (used, RATE)
    )
    closer = "closer than" if miss < naive else "no closer than"
    worst = ((table[used] - table["actual"]).abs() * customers).idxmax()
    return (
        f"Over the groups {used} misses by {words.number(miss)} purchase days a customer, {closer} the rate so far ({words.number(naive)}). "
        f"It costs most in the group “{worst}”: {words.number(table.loc[worst, used])} were expected, {words.number(table.loc[worst, 'actual'])} happened."
    )
