"""Checks of a log: each finds what is odd or wrong, how many lines it concerns and what they are worth."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..schema import Dataset
from . import continuity
from .findings import FINDINGS, Done, Found, Severity
from .quarantine import has_receipts, kept, odd, rule

SAMPLE = 5
"""Lines shown of each finding."""

NOTEWORTHY = 0.01
"""Share of all lines, or of the spend, from which a finding is a warning."""

MOST_CURRENCIES = 3
"""Currencies in which it is told what lines are worth."""

LONG_GAP = 3
"""Days in a row without a line that are more than a holiday."""

MOST_NIGHT = 0.5
"""Share of the lines between midnight and five above which the clock must be another zone's."""

DONE: dict[str, Done] = {"net": "netted", "quarantine": "quarantined", "refuse": "refused"}


def line_findings(judged: ir.Table, dataset: Dataset, facts: Mapping[str, Any]) -> list[Found]:
    """Findings about single lines: counted in one pass, their samples taken in another.

    A line that is set aside is counted under its reason alone; one that is kept under all that is odd about it.

    Parameters
    ----------
    judged : see `quarantine.judged`.
    facts : of them, see `contract.facts`.
    """
    named = _named(judged)
    counted = named.group_by("name").agg(
        lines=named.count(), money=named.amount.sum(), customers=named.customer.nunique()
    )
    rows = {row["name"]: row for row in counted.to_pyarrow().to_pylist()}
    samples = _samples(named) if rows else {}
    if (foreign := rows.get("other_currency")) is not None:
        # Nothing is told of them in the dataset's own currency, and sums of several have none.
        foreign |= {"money": None, "worth": _by_currency(named.filter(named.name == "other_currency"))}
    return [_about_lines(rows[name], samples[name], dataset, facts) for name in FINDINGS if name in rows]


def calendar_findings(judged: ir.Table, dataset: Dataset) -> list[Found]:
    """Findings about days, weeks and clocks, from the lines that are kept."""
    lines = kept(judged)
    by_day = continuity.daily(lines)
    if by_day.empty:
        return []
    return [*_gap_days(by_day), *_level_breaks(lines), *_clock(judged, by_day, dataset)]


def _named(judged: ir.Table) -> ir.Table:
    """One row a line and finding, with the finding's `name`."""
    is_kept = judged.reason.isnull()
    conditions = odd(judged)
    any_odd: ir.BooleanValue = ibis.literal(False)
    for condition in conditions.values():
        any_odd = any_odd | condition
    names = ibis.array([condition.ifelse(name, ibis.null("string")) for name, condition in conditions.items()])
    told = judged.filter(~is_kept | any_odd.coalesce(False))
    each = told.mutate(name=told.reason.notnull().ifelse(ibis.array([told.reason]), names)).unnest("name")
    return each.filter(each.name.notnull())


def _by_currency(lines: ir.Table) -> str:
    """What lines are worth in each of their currencies, those with the most lines first, in words."""
    each = lines.group_by(currency=lines.currency.strip().upper()).agg(lines=lines.count(), money=lines.amount.sum())
    rows = each.order_by(each.lines.desc(), each.currency).limit(MOST_CURRENCIES + 1).to_pyarrow().to_pylist()
    told = [f"{row['money']:,.2f} {row['currency']}" for row in rows[:MOST_CURRENCIES]]
    return ", ".join([*told, "…"] if len(rows) > MOST_CURRENCIES else told)


def _samples(named: ir.Table) -> dict[str, list[dict[str, Any]]]:
    """The first `SAMPLE` lines of each finding in total order, so that every run and engine shows the same."""
    given = [name for name in named.columns if name.endswith("_as_given")]
    optional = ("currency", "channel", "store", "product", "discount", "coupon")
    shown = ["time", "customer", "order", "amount", *(name for name in optional if name in named.columns), *given]
    first = ibis.window(group_by=named.name, order_by=[named[name].asc(nulls_first=False) for name in ("day", *shown)])
    placed = named.mutate(place=ibis.row_number().over(first))
    rows = placed.filter(placed.place < SAMPLE).select("name", "place", *shown).to_pyarrow().to_pylist()
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["name"], row["place"])):
        line = {name: _readable(row[name]) for name in shown if row[name] is not None}
        found.setdefault(row["name"], []).append(line)
    return found


def _readable(value: Any) -> Any:
    """A value of a sample as plain text or number, without the noise of binary fractions.

    Examples
    --------
    >>> _readable(3 * 4.113333333333333 + 1e-15), _readable(datetime(2020, 5, 4, 12))
    (12.34, '2020-05-04 12:00:00')
    """
    if isinstance(value, float):
        return round(value, 4)
    return value.isoformat(" ") if isinstance(value, datetime) else value


def _about_lines(
    row: Mapping[str, Any], sample: list[dict[str, Any]], dataset: Dataset, facts: Mapping[str, Any]
) -> Found:
    name, money, lines = row["name"], row["money"], facts["lines"]
    share = row["lines"] / lines
    kind, chosen = FINDINGS[name], rule(name, dataset)
    by = f"{kind.key} = '{chosen}'"
    if name == "duplicate_line" and not has_receipts(dataset):
        by = "transactions.order is not named: without receipt numbers two purchases look the same"
    dear = abs(money or 0) > NOTEWORTHY * abs(facts["spend"])
    noteworthy = (share >= NOTEWORTHY or dear) and name not in ("negative_amount", "zero_amount")
    own = None if money is None else f"{money:,.2f} {dataset.currency}"
    worth = "".join(f", {told}" for told in (own, row.get("worth")) if told)
    return Found(
        name=name,
        severity="refusal" if chosen == "refuse" else "warning" if noteworthy else "note",
        done=DONE.get(chosen, "kept"),
        rule=by,
        detail=f"{kind.label}: {row['lines']:,} of {lines:,} lines{worth}",
        lines=row["lines"],
        share=share,
        money=money,
        customers=row["customers"],
        sample=sample,
    )


def _gap_days(by_day: pd.DataFrame) -> list[Found]:
    found = continuity.gaps([pd.Timestamp(day).date() for day in by_day["day"]])
    if not found:
        return []
    longest = sorted(found, key=lambda gap: (-gap.days, gap.first))[:SAMPLE]
    told = ", ".join(f"{gap.first}" if gap.days == 1 else f"{gap.first} to {gap.last}" for gap in longest[:3])
    total, usual = sum(gap.days for gap in found), float(by_day["spend"].median())
    return [
        Found(
            name="gap_days",
            severity="warning" if longest[0].days >= LONG_GAP else "note",
            done="counted",
            detail=f"{total:,} day{'s' if total > 1 else ''} without a line, where there usually are some: {told}"
            f"{', …' if len(found) > 3 else ''}; a usual day brings {usual:,.2f}",
            sample=[{"first": str(gap.first), "last": str(gap.last), "days": gap.days} for gap in longest],
        )
    ]


def _level_breaks(lines: ir.Table) -> list[Found]:
    """Falls of the whole log and of each store and channel, and rises of the whole: a new store is no fault."""
    found: list[dict[str, Any]] = []
    for place in (None, *(name for name in ("channel", "store") if name in lines.columns)):
        for name, customers in continuity.weekly(lines, place).items():
            for episode in continuity.episodes(customers):
                if place is None or episode.level < episode.usual:
                    found.append({"place": f"{place} {name}" if place else "the whole log"} | episode._asdict())
    if not found:
        return []
    worst = sorted(found, key=lambda row: (not row["stays"], row["level"] - row["usual"], row["place"], row["start"]))
    more = f"; and {len(worst) - 3:,} more" if len(worst) > 3 else ""
    return [
        Found(
            name="level_break",
            severity="warning",
            done="counted",
            detail="; ".join(map(_told_break, worst[:3])) + more,
            sample=[row | {"start": str(row["start"])} for row in worst[: 2 * SAMPLE]],
        )
    ]


def _told_break(row: Mapping[str, Any]) -> str:
    """One break in words.

    Examples
    --------
    >>> row = {"place": "store 3", "usual": 120.0, "level": 0.0, "start": "2020-03-02", "weeks": 2, "stays": False}
    >>> _told_break(row)
    'store 3 went from 120 to 0 customers a week for 2 weeks from 2020-03-02'
    """
    weeks = f"for {row['weeks']} week{'s' if row['weeks'] > 1 else ''} from"
    lasts = "for good from" if row["stays"] else weeks
    return (
        f"{row['place']} went from {row['usual']:,.0f} to {row['level']:,.0f} customers a week {lasts} {row['start']}"
    )


def _clock(judged: ir.Table, by_day: pd.DataFrame, dataset: Dataset) -> list[Found]:
    """Hours that cannot be: told only of a log most of whose lines have a time of day."""
    timed, night, total = (int(by_day[name].sum()) for name in ("timed", "night", "lines"))
    if timed < total / 2:
        return []
    found = []
    if night > MOST_NIGHT * timed:
        found.append(
            Found(
                name="night_hours",
                severity="warning",
                done="counted",
                detail=f"{night / timed:.0%} of the lines are of the hours from midnight to five: is the clock right?",
                lines=night,
                share=night / total,
            )
        )
    # Of an instant that the source told there is no doubt, whatever the clock of the store did.
    told_by_clock = judged.filter(~judged.zoned) if "zoned" in judged.columns else judged
    first, last = (pd.Timestamp(by_day["day"].iloc[at]).date() for at in (0, -1))
    skipped, repeated = continuity.clock_changes(dataset.timezone, first, last)
    lines = kept(told_by_clock)
    found += _in_hours(lines, "skipped_hour", "warning", skipped, total)
    found += _in_hours(lines, "repeated_hour", "note", repeated, total)
    return found


def _in_hours(
    lines: ir.Table, name: str, severity: Severity, spans: list[tuple[datetime, datetime]], total: int
) -> list[Found]:
    """Lines of hours that summer time leaves out or repeats; one pass over the days on which clocks change."""
    if not spans:
        return []
    inside = lines.filter(lines.day.isin(sorted({time.date() for span in spans for time in span})))
    inside = inside.filter(continuity.among(inside.time, spans))
    measures = inside.agg(lines=inside.count(), money=inside.amount.sum(), customers=inside.customer.nunique())
    counted = measures.to_pyarrow().to_pylist()[0]
    if not counted["lines"]:
        return []
    return [
        Found(
            name=name,
            severity=severity,
            done="counted",
            detail=f"{FINDINGS[name].label}: {counted['lines']:,} of {total:,} lines",
            share=counted["lines"] / total,
            sample=_samples(inside.mutate(name=ibis.literal(name)))[name],
            **counted,
        )
    ]
