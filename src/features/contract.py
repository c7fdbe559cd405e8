"""What a log holds and what is wrong with it, counted in the engine."""

from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from ..errors import DataError

MOST_WITHOUT_AMOUNT = 0.01
"""Share of lines without a readable amount above which the column is misread rather than the lines faulty."""


def facts(raw_lines: ir.Table, days: ir.Table) -> dict[str, Any]:
    """Size, span and oddities of a log, in one pass over the lines and one over the purchase days.

    Parameters
    ----------
    raw_lines : all lines, the unusable ones too.
    days : purchase days.

    Returns
    -------
    lines : rows of the log.
    no_customer, no_time, no_amount : lines that cannot be used because one of these is missing; a line that lacks
        several is counted under the first.
    used : the others.
    zero, negative : used lines whose amount is zero or below.
    first_day, last_day : of the used lines, ISO dates; null without any.
    spend : sum of the used amounts, money.
    customers, repeat_customers, orders, purchase_days : counts.
    newest_customer : first purchase day of the customer who came last, ISO date; null without any.
    longest_pause : most days from one day with a purchase to the next, over all customers; 1 if every day has one.
    """
    customer, time, amount = raw_lines.customer.notnull(), raw_lines.time.notnull(), raw_lines.amount.notnull()
    used = customer & time & amount
    of_lines = raw_lines.agg(
        lines=raw_lines.count(),
        no_customer=(~customer).sum(),
        no_time=(customer & ~time).sum(),
        no_amount=(customer & time & ~amount).sum(),
        used=used.sum(),
        zero=(used & (raw_lines.amount == 0)).sum(),
        negative=(used & (raw_lines.amount < 0)).sum(),
        first_day=raw_lines.day.min(where=used),
        last_day=raw_lines.day.max(where=used),
        spend=raw_lines.amount.sum(where=used),
    )
    each = days.group_by("customer").agg(purchase_days=days.count(), orders=days.orders.sum(), first_day=days.day.min())
    of_customers = each.agg(
        customers=each.count(),
        repeat_customers=(each.purchase_days > 1).sum(),
        orders=each.orders.sum(),
        purchase_days=each.purchase_days.sum(),
        newest_customer=each.first_day.max(),
    )
    trading = days.select("day").distinct()
    pauses = trading.select(
        pause=trading.day.delta(trading.day.lag().over(ibis.window(order_by=trading.day)), unit="day")
    )
    of_pauses = pauses.agg(longest_pause=pauses.pause.max())
    row = of_lines.cross_join(of_customers).cross_join(of_pauses).to_pyarrow().to_pylist()[0]
    dates = ("first_day", "last_day", "newest_customer")
    text = {name: None if row[name] is None else row[name].isoformat() for name in dates}
    return {name: value or 0 for name, value in row.items()} | text


def check_span(facts: dict[str, Any], as_of: date | None, horizon_days: int, shown: str) -> date:
    """The as-of date, if the log is large and long enough for it.

    Parameters
    ----------
    facts : see `features.contract.facts`.
    as_of : asked for; the day after the last line if None.
    horizon_days : length of the period to predict.
    shown : the dataset file as named in errors.

    Raises
    ------
    DataError
        If the log is empty, has one customer or no repeat purchase, ends too long before `as_of`, or has less than
        three horizons before it: one to learn from, one to learn, one to test.
    """
    if facts["first_day"] is None or not facts["purchase_days"]:
        missing = ", ".join(f"{facts[f'no_{name}']:,} have no {name}" for name in ("customer", "time", "amount"))
        raise DataError(
            f"{shown}: the log holds no usable purchase: of {facts['lines']:,} lines {missing}; "
            "check which columns transactions names"
        )
    if facts["no_amount"] > MOST_WITHOUT_AMOUNT * facts["lines"]:
        raise DataError(
            f"{shown}: {facts['no_amount']:,} of {facts['lines']:,} lines have no amount that reads as a number; "
            "expected digits with a point for the decimals, no currency and no thousands separators; mend the "
            "column that transactions.amount names"
        )
    first, last = date.fromisoformat(facts["first_day"]), date.fromisoformat(facts["last_day"])
    if facts["customers"] < 2:
        raise DataError(f"{shown}: the log holds one customer; expected many; check which column `customer` names")
    if not facts["repeat_customers"]:
        raise DataError(
            f"{shown}: no customer bought on two different days; nothing can be said about coming back; "
            "check which columns `customer` and `time` name"
        )
    # A shop that closes on Sundays may be silent for as long as it has been before; but one long closure, years ago,
    # must not let a log that has stopped be read as customers who have left.
    pause = min(facts["longest_pause"], horizon_days // 4)
    latest = last + timedelta(days=max(1, pause))
    earliest = first + timedelta(days=3 * horizon_days)
    end = latest if as_of else last + timedelta(days=1)
    if earliest > end:
        longest = (last + timedelta(days=1) - first).days // 3
        raise DataError(
            f"horizon_days = {horizon_days} is too long: the log runs from {first} to {last} and three horizons must "
            "fit into it; "
            f"choose at most {longest}"
        )
    day = as_of or last + timedelta(days=1)
    if not earliest <= day <= latest:
        why = (
            "the log is silent in the days before it"
            if day > latest
            else "no holdout fits between the first line and it"
        )
        raise DataError(
            f"as-of date {day} does not fit the log, which runs from {first} to {last}: {why}; "
            f"with horizon_days = {horizon_days} choose a date from {earliest} to {latest}"
        )
    return day
