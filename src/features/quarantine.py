"""Which lines of a log are kept, which are set aside, and for what reason.

A line is judged in the order of `ORDER`. Its reason is the first that applies and whose rule in the dataset file's
`[contract]` sets it aside; a line without a reason is kept. A rule that refuses the whole log sets the line aside, too:
what is refused must still be counted. So the lines that came in are those kept and those set aside, each under one
reason.
"""

from collections.abc import Mapping
from datetime import date

import ibis
import ibis.expr.types as ir

from ..schema import Dataset
from ..sources.lines import GIVEN, worth_nothing
from .windows import before_or_undated

UNUSABLE = ("no_customer", "no_time", "impossible_date", "future_date", "no_amount", "other_currency")
"""A line of which this is true can never be used."""

ODD = ("duplicate_line", "duplicate_receipt", "negative_amount", "zero_amount", "extreme_amount")
"""What is done with a line of which this is true is for the retailer to say."""

ORDER = UNUSABLE + ODD
UNDATED = ("no_time", "impossible_date", "future_date")
MARKS = ("duplicate_line", "duplicate_receipt", "extreme_amount")
"""Columns of a judged log that say, kept or not, what cannot be seen from the line alone."""

CLOCK = {"zoned"}
"""Columns of a log that say how a time was told, not what was bought; a log made by hand has none."""

TOP = 999
"""The percentile that extreme amounts are measured by, in thousandths."""


def judged(raw_lines: ir.Table, dataset: Dataset, today: date) -> ir.Table:
    """A log with the reason for which each line is set aside.

    What cannot be seen from a line alone is looked up once, when this is called: receipts with something to compare, a
    small table that the engine keeps, and the amount above which one is extreme.

    Parameters
    ----------
    raw_lines : all lines, the unusable ones too, see `sources.log`.
    dataset : with its rules and its currency.
    today : the last day that a line may be of.

    Returns
    -------
    The lines with `reason`, a name of `ORDER` or null where the line is kept, and `MARKS`, which are never null:
    duplicate_line : all but one of the lines that are equal in every column that is read.
    duplicate_receipt : lines of a receipt that has more than one customer or day; in a log of receipts also of one that
        comes more than once. Returns are left out: they may name the receipt of the purchase.
    extreme_amount : more than `extreme_times` the 99.9th percentile of the amounts above zero.
    What the source said (`…_as_given`) is null where the line is kept.
    """
    contract = dataset.contract
    lines = raw_lines.mutate(reason=_first(_unusable(raw_lines, dataset, today)))
    limit = extreme_above(lines, contract.extreme_times)
    lines = _with_duplicates(lines, dataset)
    is_extreme = ibis.literal(False) if limit is None else (lines.amount.abs() > limit) & lines.reason.isnull()
    lines = lines.mutate(extreme_amount=is_extreme)
    aside = {name: condition for name, condition in odd(lines).items() if sets_aside(name, dataset)}
    lines = lines.mutate(reason=lines.reason.coalesce(_first(aside)))
    # What the source said is wanted of the lines set aside alone; for the others it would double what is kept on disk.
    aside = lines.reason.notnull()
    given = {name: aside.ifelse(lines[name], ibis.null("string")) for name in GIVEN if name in lines.columns}
    return lines.mutate(**given) if given else lines


def kept(judged: ir.Table) -> ir.Table:
    """Lines without a reason, with the columns of `sources.log` that are of the purchase."""
    given = [name for name in judged.columns if name.endswith("_as_given")]
    return judged.filter(judged.reason.isnull()).drop("reason", *MARKS, *given, *CLOCK & {*judged.columns})


def quarantined(judged: ir.Table) -> ir.Table:
    """Lines that are set aside, with their reason and what the source said."""
    return judged.filter(judged.reason.notnull()).drop(*MARKS, *CLOCK & {*judged.columns})


def known(judged: ir.Table, as_of: date) -> ir.Table:
    """Lines of the days before `as_of`, and those whose day is missing or cannot be believed: here they have none."""
    undated = judged.reason.isin(UNDATED).coalesce(False)
    return before_or_undated(judged.mutate(day=undated.ifelse(ibis.null("date"), judged.day)), as_of)


def odd(lines: ir.Table) -> dict[str, ir.BooleanValue]:
    """Which lines of a log with `MARKS` each name of `ODD` is true of."""
    marked = {name: lines[name] for name in MARKS}
    return {
        name: marked.get(name, lines.amount < 0 if name == "negative_amount" else worth_nothing(lines)) for name in ODD
    }


def sets_aside(name: str, dataset: Dataset) -> bool:
    """Whether a line of which `name` is true is set aside."""
    return rule(name, dataset) in ("quarantine", "refuse")


def rule(name: str, dataset: Dataset) -> str:
    """What `[contract]` says of `name`.

    Without receipt numbers two purchases cannot be told from a line that was written twice: then both are kept.
    """
    if name in ("duplicate_line", "duplicate_receipt") and not has_receipts(dataset):
        return "keep"
    return str(getattr(dataset.contract, name))


def has_receipts(dataset: Dataset) -> bool:
    """Whether every table of the log has receipt numbers."""
    return all(table.order is not None for table in dataset.transactions)


def extreme_above(lines: ir.Table, times: float) -> float | None:
    """`times` the 99.9th percentile of the amounts above zero, money; None without any.

    The percentile is an amount that occurs, the one of rank 0.999 (n - 1) from the least, rounded down: counted, not
    interpolated or estimated, so that every engine finds the same, and one huge amount among a hundred lines does not
    set its own limit.

    Parameters
    ----------
    lines : amount, and reason; those with one are left out.
    """
    paid = lines.filter(lines.reason.isnull() & (lines.amount > 0))
    amounts = paid.group_by("amount").agg(lines=paid.count())
    up_to = amounts.lines.sum().over(ibis.cumulative_window(order_by=amounts.amount))
    ranked = amounts.mutate(up_to=up_to, total=amounts.lines.sum().over(ibis.window()))
    # In thousandths, for 0.999 is no binary number.
    high = ranked.filter(ranked.up_to * 1000 > (ranked.total - 1) * TOP)
    value = high.agg(value=high.amount.min()).to_pyarrow().to_pylist()[0]["value"]
    return None if value is None else float(value) * times


def _unusable(lines: ir.Table, dataset: Dataset, today: date) -> dict[str, ir.BooleanValue]:
    found = {
        "no_customer": lines.customer.isnull(),
        "no_time": lines.time.isnull(),
        "impossible_date": lines.day < ibis.literal(dataset.contract.earliest_date),
        "future_date": lines.day > ibis.literal(today),
        "no_amount": lines.amount.isnull(),
    }
    if "currency" in lines.columns:  # a line that names none is in the dataset's own
        found["other_currency"] = lines.currency.strip().upper() != dataset.currency
    return found


def _first(conditions: Mapping[str, ir.BooleanValue]) -> ir.StringValue:
    """Name of the first condition that is true; null if none is."""
    if not conditions:
        return ibis.null("string")
    return ibis.cases(*((condition, name) for name, condition in conditions.items()), else_=ibis.null("string"))


def _with_duplicates(lines: ir.Table, dataset: Dataset) -> ir.Table:
    """Lines with `duplicate_line` and `duplicate_receipt`.

    Only lines of a receipt that may hold one are compared in full: comparing all would sort the whole log.
    """
    by_receipt = has_receipts(dataset) and _is_of_receipts(lines, dataset)
    suspects = _suspects(lines, dataset, by_receipt).cache()
    clean = dict.fromkeys(("duplicate_line", "duplicate_receipt"), ibis.literal(False))
    if not suspects.count().to_pyarrow().as_py():
        return lines.mutate(**clean)
    compared = _compared(lines.semi_join(suspects, "order"), dataset, by_receipt)
    rest = lines.anti_join(suspects, "order").mutate(**clean)
    return rest.union(compared.select(*rest.columns))


def _is_of_receipts(lines: ir.Table, dataset: Dataset) -> bool:
    """Whether a line is a receipt: no product is named, and most receipt numbers come once."""
    if any(table.product is not None for table in dataset.transactions):
        return False
    counted = _usable(lines).group_by("order").agg(lines=lambda each: each.count())
    often = counted.agg(often=(counted.lines > 1).sum(), receipts=counted.count()).to_pyarrow().to_pylist()[0]
    return bool((often["often"] or 0) * 2 <= often["receipts"])


def _suspects(lines: ir.Table, dataset: Dataset, by_receipt: bool) -> ir.Table:
    """Receipt numbers among whose lines a duplicate may be."""
    usable = _usable(lines)
    same = ["order", "amount", *(["product"] if "product" in lines.columns else [])]
    again = usable.group_by(same).agg(lines=usable.count())
    suspects = again.filter(again.lines > 1).select("order")
    if has_receipts(dataset):
        bought = usable.filter(usable.amount >= 0)
        receipts = bought.group_by("order").agg(
            lines=bought.count(),
            one=bought.customer.min(),
            other=bought.customer.max(),
            first=bought.day.min(),
            last=bought.day.max(),
        )
        reused = (receipts.one != receipts.other) | (receipts.first != receipts.last)
        if by_receipt:
            reused = reused | (receipts.lines > 1)
        suspects = suspects.union(receipts.filter(reused).select("order"))
    return suspects.distinct()


def _usable(lines: ir.Table) -> ir.Table:
    return lines.filter(lines.reason.isnull() & lines.order.notnull())


def _compared(lines: ir.Table, dataset: Dataset, by_receipt: bool) -> ir.Table:
    """Lines with both marks, by comparing each with all others of its receipt."""
    apart = {"day", "reason", *CLOCK}
    read = [name for name in lines.columns if name not in apart and not name.endswith("_as_given")]
    usable = lines.reason.isnull()
    equal = ibis.window(group_by=[usable, *(lines[name] for name in read)], order_by=lines.time)
    lines = lines.mutate(duplicate_line=usable & (ibis.row_number().over(equal) > 0))
    if not has_receipts(dataset):
        return lines.mutate(duplicate_receipt=ibis.literal(False))
    bought = lines.reason.isnull() & (lines.amount >= 0)
    # A receipt number belongs to the till that counted it.
    till = [lines[name] for name in ("channel", "store") if name in lines.columns]
    receipt = ibis.window(group_by=[bought.coalesce(False), lines.order, *till])
    reused = (lines.customer.min().over(receipt) != lines.customer.max().over(receipt)) | (
        lines.day.min().over(receipt) != lines.day.max().over(receipt)
    )
    if by_receipt:
        reused = reused | ((~lines.duplicate_line).cast("int64").sum().over(receipt) > 1)
    return lines.mutate(duplicate_receipt=(bought & reused).coalesce(False))
