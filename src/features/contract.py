"""The contract of a log: what it holds, what is wrong with it, and whether a score may rest on it."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from ..errors import DataError, RefusedError
from ..schema import Contract, Dataset
from ..sources.lines import worth_nothing
from .checks import calendar_findings, line_findings
from .companions import companion_findings
from .findings import FINDINGS, Found
from .offer_findings import offer_findings
from .offers import Offers
from .quarantine import UNUSABLE, known
from .span import span_findings
from .survey_findings import survey_findings
from .windows import before

SEVERITIES = ("refusal", "warning", "note")
DOMINANT = 0.05
"""Share of all lines that no single customer has."""


def facts(judged: ir.Table, days: ir.Table) -> dict[str, Any]:
    """Size and span of a log, in one pass over the lines and one over the purchase days.

    Parameters
    ----------
    judged : all lines with their `reason`, see `quarantine.judged`.
    days : purchase days.

    Returns
    -------
    lines : rows of the log: `used` and `quarantined` together.
    used, quarantined : lines kept and set aside.
    no_customer, no_time, impossible_date, future_date, no_amount, other_currency : lines set aside for this reason.
    zero, negative : used lines that are worth nothing, see `sources.lines.worth_nothing`, or less.
    first_day, last_day : of the used lines, ISO dates; null without any.
    spend : sum of the used amounts, money.
    customers, repeat_customers, orders, purchase_days : counts.
    newest_customer : first purchase day of the customer who came last, ISO date; null without any.
    longest_pause : most days from one day with a purchase to the next, over all customers; 1 if every day has one.
    """
    used = judged.reason.isnull()
    of_lines = judged.agg(
        lines=judged.count(),
        used=used.sum(),
        quarantined=(~used).sum(),
        **{name: (judged.reason == name).sum() for name in UNUSABLE},
        zero=(used & worth_nothing(judged)).sum(),
        negative=(used & (judged.amount < 0)).sum(),
        first_day=judged.day.min(where=used),
        last_day=judged.day.max(where=used),
        spend=judged.amount.sum(where=used),
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


def check_span(facts: Mapping[str, Any], as_of: date | None, shown: str) -> date:
    """The as-of date: the one asked for, or the day after the last line.

    Parameters
    ----------
    facts : of the whole log.
    as_of : asked for.
    shown : the dataset file as named in errors.

    Raises
    ------
    DataError
        If the log says nothing at any date, because it holds no usable purchase, one customer or no repeat purchase; or
        if it begins at `as_of` or later.
    """
    if facts["first_day"] is None or not facts["purchase_days"]:
        faults = [name for name in UNUSABLE if facts[name]]
        worst = max(faults, key=lambda name: facts[name], default="")
        counted = ", ".join(f"{facts[name]:,} {FINDINGS[name].label.lower()}" for name in faults)
        raise DataError(
            f"{shown}: the log holds no usable purchase: of {facts['lines']:,} lines "
            + (f"{counted}; {FINDINGS[worst].mend}" if worst else "none is a purchase; check transactions.amount")
        )
    if facts["customers"] < 2:
        raise DataError(f"{shown}: the log holds one customer; expected many; check which column `customer` names")
    if not facts["repeat_customers"]:
        raise DataError(
            f"{shown}: no customer bought on two different days; nothing can be said about coming back; "
            "check which columns `customer` and `time` name"
        )
    first, last = date.fromisoformat(facts["first_day"]), date.fromisoformat(facts["last_day"])
    if as_of is not None and as_of <= first:
        raise DataError(
            f"as-of date {as_of} does not fit the log, which runs from {first} to {last}: nothing is known before it; "
            f"choose a later date, at most {last + timedelta(days=1)}"
        )
    return as_of or last + timedelta(days=1)


def examine(
    judged: ir.Table,
    days: ir.Table,
    dataset: Dataset,
    as_of: date,
    horizon_days: int,
    others: Mapping[str, ir.Table] | None = None,
    offers: Offers | None = None,
    more: Iterable[Found] = (),
) -> dict[str, Any]:
    """What is known of a log at a date, and whether a score may rest on it. Nothing is raised.

    Parameters
    ----------
    judged : all lines with their `reason`, see `quarantine.judged`.
    days : purchase days.
    dataset : its rules.
    as_of : first day that is not known, after the log's first day.
    horizon_days : length of the period to predict.
    others : tables beside the log, by role, see `companions`.
    offers : campaigns, contacts and coupons, see `offers`.
    more : what was found elsewhere.

    Returns
    -------
    facts : see `facts`, of the days before `as_of`. Lines whose day is missing or cannot be believed are counted, too.
    findings : see `findings.Found.told`, the worst first. Their samples hold personal data.
    """
    lines, bought = known(judged, as_of), before(days, as_of)
    at_date = facts(lines, bought)
    found = [
        *line_findings(lines, dataset, at_date),
        *share_findings(at_date, dataset.contract),
        *span_findings(at_date, as_of, horizon_days, dataset.contract, end=_end(judged) or as_of),
        *calendar_findings(lines, dataset),
        *companion_findings(others or {}, days),
        *survey_findings((others or {}).get("survey")),
        *(offer_findings(offers) if offers else []),
        *dominant_findings(bought),
        *more,
    ]
    names = list(FINDINGS)
    found.sort(key=lambda one: (SEVERITIES.index(one.severity), names.index(one.name)))
    return {"facts": at_date, "findings": [one.told() for one in found]}


def refuse(findings: Iterable[Mapping[str, Any]], shown: str) -> None:
    """Raise the refusals among the findings as one error.

    Parameters
    ----------
    findings : see `examine`.
    shown : the dataset file as named in errors.

    Raises
    ------
    RefusedError
        If there is one.
    """
    if told := refusals(findings):
        raise RefusedError(f"{shown}: no score is given: {'; '.join(told)}")


def refusals(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why no score may be given, each reason with the rule that says so; empty if one may."""
    return [f"{one['detail']} ({one['rule']})" for one in findings if one["severity"] == "refusal"]


def dominant_findings(days: ir.Table) -> list[Found]:
    """Whether one customer has so large a part of all purchase days' lines that it must stand for many.

    Parameters
    ----------
    days : purchase days.
    """
    each = days.group_by("customer").agg(lines=days.lines.sum())
    top = each.agg(most=each.lines.max(), all=each.lines.sum(), customers=each.count()).to_pyarrow().to_pylist()[0]
    # Among a few customers one may well be large.
    if not top["all"] or top["customers"] < 1 / DOMINANT**2 or top["most"] < DOMINANT * top["all"]:
        return []
    share = top["most"] / top["all"]
    detail = f"One customer of {top['customers']:,} holds {share:.0%} of all lines"
    return [
        Found(name="one_customer", severity="warning", done="counted", detail=detail, lines=top["most"], share=share)
    ]


def share_findings(facts: Mapping[str, Any], contract: Contract) -> list[Found]:
    """Whether so many lines are set aside that a column must be misread.

    Parameters
    ----------
    facts : see `facts`.
    contract : its `most_quarantined`.
    """
    if facts["quarantined"] <= contract.most_quarantined * facts["lines"]:
        return []
    share = facts["quarantined"] / facts["lines"]
    reasons = {name: facts[name] for name in UNUSABLE} | {"": 0}
    worst = max(reasons, key=lambda name: reasons[name])
    others = facts["quarantined"] - sum(reasons.values())
    if reasons[worst] > others:
        kind = FINDINGS[worst]
        because = f"{reasons[worst]:,} {kind.label.lower()}: {kind.mend}"
        if worst == "no_customer":
            because += ", or, if so many buy without a card, raise contract.most_quarantined"
    else:
        because = (
            f"{others:,} by rules of [contract] that set aside; if most are equal to others, the export may be there "
            "twice: take one out; else change those rules, or raise contract.most_quarantined"
        )
    return [
        Found(
            name="too_many_set_aside",
            severity="refusal",
            done="refused",
            rule=f"contract.most_quarantined = {contract.most_quarantined}",
            detail=f"{facts['quarantined']:,} of {facts['lines']:,} lines are set aside, most of them ({because})",
            lines=facts["quarantined"],
            share=share,
        )
    ]


def _end(judged: ir.Table) -> date | None:
    """The day after the last line that is kept."""
    last: date | None = judged.agg(day=judged.day.max(where=judged.reason.isnull())).to_pyarrow().to_pylist()[0]["day"]
    return None if last is None else last + timedelta(days=1)
