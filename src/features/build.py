"""One row a customer: all feature blocks side by side."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from . import basket, breadth, cadence, channel, histories, profile, programme, rfm, season, second, timing, trend
from .columns import Block, Column, DayBlock, TableBlock, Tables, Window
from .labels import NO_PURCHASE, at_risk
from .windows import before, days_until

LENGTHS = (7, 14, 30, 60, 90, 180, 365)

DAY_BLOCKS: tuple[DayBlock, ...] = (
    histories.BLOCK, rfm.BLOCK, cadence.BLOCK, trend.BLOCK, basket.BLOCK, timing.BLOCK, second.BLOCK, season.BLOCK
)  # fmt: skip
TABLE_BLOCKS: tuple[TableBlock, ...] = (
    breadth.BLOCK, channel.STORES, channel.CHANNELS, programme.OFFERS, programme.POINTS, programme.TIER, profile.BLOCK
)  # fmt: skip
BLOCKS: tuple[Block, ...] = (*DAY_BLOCKS, *TABLE_BLOCKS)
WHOLE = Window(date.max, LENGTHS)
"""A window of every length, for the names and meanings of all columns."""
NONE_IS_ZERO = ("count", "points")
"""Units in which a customer without a row in a table has had none, rather than an unknown number."""


def windows_that_fit(first_day: date, earliest_as_of: date) -> tuple[int, ...]:
    """Window lengths that even the earliest as-of date can fill.

    A longer window would mean less at an early origin than at a late one, and a model would learn the
    difference as if it were behaviour.

    Examples
    --------
    >>> windows_that_fit(date(2017, 1, 1), date(2017, 5, 1))
    (7, 14, 30, 60, 90)
    """
    known_days = (earliest_as_of - first_day).days
    return tuple(length for length in LENGTHS if length <= known_days) or LENGTHS[:1]


def known_days(tables: Tables, window: Window) -> ir.Table:
    """What day blocks sum: the purchase days before the as-of date, and the days of return beside them.

    Returns
    -------
    The columns of `tables.days` (null on days of return where those have none), and
    purchase : False on days of return.
    gap : days since the purchase day before; null on the first, and on days of return.
    silence : days from the customer's last purchase day to the as-of date; null on days of return.
    """
    days = before(tables.days, window.as_of)
    in_order = ibis.window(group_by=days.customer, order_by=days.day)
    bought = days.mutate(
        purchase=ibis.literal(True),
        gap=days.day.delta(days.day.lag().over(in_order), unit="day"),
        silence=days_until(window.as_of, days.day.max().over(ibis.window(group_by=days.customer))),
    )
    if tables.returns is None:
        return bought
    returned = before(tables.returns, window.as_of).mutate(purchase=ibis.literal(False))
    lacking = {name: ibis.null(kind) for name, kind in bought.schema().items() if name not in returned.columns}
    return bought.union(returned.mutate(**lacking).select(bought.columns))


def day_features(tables: Tables, window: Window, blocks: tuple[DayBlock, ...] = DAY_BLOCKS) -> ir.Table:
    """Customer and the columns of `blocks`, one row for everyone who bought before the as-of date."""
    known = known_days(tables, window)
    named = histories.sums(known)
    for block in blocks:
        named |= block.sums(known, window)
    each = known.group_by("customer").agg(**named)
    each = histories.with_late_returns(each.filter(each.purchase_days > 0), tables, window.as_of)
    values = {name: value for block in blocks for name, value in block.values(each, window).items()}
    return each.select("customer", **values)


def features(tables: Tables, window: Window, active_within_days: int, churn: str = NO_PURCHASE) -> ir.Table:
    """Features of each customer who can leave at `window.as_of`: of those active, if leaving is to buy nothing.

    Parameters
    ----------
    tables : all that the dataset has.
    window : as-of date, window lengths and horizon.
    active_within_days : who counts as active.
    churn : what leaving means, see `labels.at_risk`.

    Returns
    -------
    customer and the columns of `dictionary`, those whose source the dataset lacks left out (see `left_out`), and
    `profile_<attribute>` (text) for each attribute of the customers.
    """
    asked = at_risk(tables, window.as_of, window.horizon_days, active_within_days, churn)
    tables = _only(asked, tables)
    joined = day_features(tables, window)
    names, none_is_zero = list(joined.columns), list[str]()
    for block in TABLE_BLOCKS:
        if (table := block.table(tables, window)) is not None:
            joined = joined.left_join(table, "customer", rname=f"{{name}}_{block.name}")
            names += [name for name in table.columns if name != "customer"]
            none_is_zero += [name for name, column in block.columns(window).items() if column.unit in NONE_IS_ZERO]
    return joined.select(**{name: joined[name].coalesce(0) if name in none_is_zero else joined[name] for name in names})


def _only(customers: ir.Table, tables: Tables) -> Tables:
    """The tables without the rows of other customers: a quarter of the customers is a quarter of the work."""
    kept = {
        name: table.semi_join(customers, "customer")
        for name, table in tables._asdict().items()
        if isinstance(table, ir.Table)
    }
    return tables._replace(**kept)


def frame(tables: Tables, window: Window, active_within_days: int, churn: str = NO_PURCHASE) -> pd.DataFrame:
    """`features` in memory: index customer, in order of customer, numbers as float64, attributes as categories."""
    table = features(tables, window, active_within_days, churn).to_pandas().set_index("customer").sort_index()
    numbers = [name for name in dictionary(window) if name in table.columns]
    # Sums in another order differ in the last digits, and a tree may split between them.
    return table[numbers].astype("float64").round(9).join(table[profile.attributes(tables)].astype("category"))


def dictionary(window: Window = WHOLE) -> dict[str, Column]:
    """Every feature column with its meaning, but for the attributes of customers, see `profile.attribute`."""
    return {name: column for block in BLOCKS for name, column in block.columns(window).items()}


def left_out(tables: Tables, window: Window) -> list[tuple[str, str, list[str]]]:
    """Blocks of which the dataset lacks something: the block, what it needs, and the columns that are missing."""
    there = set(features(tables, window, 1).columns)
    lacking: dict[tuple[str, str], list[str]] = {}
    for block in BLOCKS:
        for name, column in block.columns(window).items():
            if name not in there:
                lacking.setdefault((block.name, column.needs), []).append(name)
    return [(block, needs, names) for (block, needs), names in lacking.items()]
