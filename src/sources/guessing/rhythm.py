"""What all rows of a log say beyond the sample: how long it is, how often customers come, and which study fits."""

from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir

from ...schema import Contract, StudySettings, Transactions
from ..clock import read_time
from ..values import finite, identifier

TYPICAL = 0.65
"""Share of the gaps between a customer's purchase days that a horizon should hold."""
HORIZONS = (28, 91, 182)
HORIZONS_IN_A_LOG = 4
"""One to learn from, one to learn, one to test, and one to spare."""
MOST_ORIGINS = 4
ASSUMED_MARGIN = 0.3


class Rhythm(NamedTuple):
    """What a log holds, as far as its columns can be read.

    Attributes
    ----------
    lines : rows.
    read : rows with a customer, a time that has been, and an amount.
    customers : who bought something.
    first, last : days; None where nothing can be read.
    gap_days : days from one purchase day of a customer to the next, such that `TYPICAL` of the gaps are no longer; None
        where no one comes twice.
    """

    lines: int
    read: int
    customers: int
    first: date | None
    last: date | None
    gap_days: float | None

    @property
    def days(self) -> int:
        """Days from the first to the last."""
        return 0 if self.first is None or self.last is None else (self.last - self.first).days + 1


def rhythm(table: ir.Table, roles: Transactions, today: date) -> Rhythm:
    """Measure a log in two passes over it; nothing but the result leaves the engine.

    Parameters
    ----------
    table : as opened, on DuckDB.
    roles : what its columns are.
    today : the last day that a line may be of.
    """
    lines = table.select(
        customer=identifier(table[roles.customer]),
        day=read_time(table[roles.time], roles.time_format).date(),
        amount=finite(table[roles.amount], roles),
    )
    good = lines.customer.notnull() & lines.amount.notnull() & lines.day.between(Contract().earliest_date, today)
    bought = lines.filter(good & (lines.amount > 0)).select("customer", "day").distinct()
    counted = lines.agg(lines=lines.count(), read=good.sum()).cross_join(
        bought.agg(customers=bought.customer.nunique(), first=bought.day.min(), last=bought.day.max())
    )
    earlier = bought.day.lag().over(group_by="customer", order_by="day")
    gaps = bought.select(gap=bought.day.delta(earlier, unit="day"))
    facts = counted.cross_join(gaps.agg(gap_days=gaps.gap.quantile(TYPICAL))).to_pyarrow().to_pylist()[0]
    return Rhythm(**facts | {"read": facts["read"] or 0})


def day_and_month(column: ir.Column, formats: tuple[str, ...]) -> tuple[str, ...]:
    """Of a format with the day first and one with the month first, the one that all rows bear out; both if they cannot.

    Parameters
    ----------
    column : times as text.
    formats : day first, month first.
    """
    pairs = column.cast("string").re_extract(r"^\s*(\d{1,2}\D{1,2}\d{1,2})\D", 1).name("pair").as_table().distinct()
    numbers = pairs.to_pandas()["pair"].dropna().str.extract(r"(\d+)\D+(\d+)").dropna().astype(int)
    first_is_day, second_is_day = int((numbers[0] > 12).sum()), int((numbers[1] > 12).sum())
    if first_is_day == second_is_day:
        return formats
    return formats[:1] if first_is_day > second_is_day else formats[1:]


def study_of(measured: Rhythm) -> StudySettings:
    """Horizon, activity and past dates that fit a log.

    The horizon is the shortest of `HORIZONS` that holds a typical gap between two purchases, or what fits four times
    into the log.

    Examples
    --------
    >>> weekly = Rhythm(9000, 9000, 800, date(2023, 1, 1), date(2024, 1, 31), gap_days=9.0)
    >>> chosen = study_of(weekly)
    >>> chosen.horizon_days, chosen.active_within_days, chosen.origins
    (28, 56, 4)
    """
    gap = measured.gap_days or HORIZONS[0]
    wanted = next((horizon for horizon in HORIZONS if horizon >= gap), HORIZONS[-1])
    horizon = max(1, min(wanted, measured.days // HORIZONS_IN_A_LOG)) if measured.days else wanted
    origins = measured.days // horizon - 2
    return StudySettings(
        horizon_days=horizon,
        active_within_days=2 * horizon,
        origins=max(1, min(MOST_ORIGINS, origins)),
        margin=ASSUMED_MARGIN,
    )
