"""Whether enough of a log is known before a date, and up to it."""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from ..schema import Contract
from .findings import Found

ENOUGH_HORIZONS = 3
"""Horizons of history from which models are tested on one and learn from another; below, intervals are widened."""


def span_findings(
    facts: Mapping[str, Any], as_of: date, horizon_days: int, contract: Contract, *, end: date
) -> list[Found]:
    """Whether enough is known before the date, and up to it.

    Parameters
    ----------
    facts : see `facts`, of the days before `as_of`.
    as_of : first day that is not known.
    horizon_days : length of the period to predict.
    contract : its thresholds.
    end : the day after the last line of the whole log.
    """
    found = []
    if facts["customers"] < contract.minimum_customers:
        found.append(
            Found(
                name="few_customers",
                severity="refusal",
                done="refused",
                rule=f"contract.minimum_customers = {contract.minimum_customers}",
                detail=f"{facts['customers']:,} customers bought before {as_of}, and at least "
                f"{contract.minimum_customers:,} are needed: bring more, or lower that key and trust the results less",
            )
        )
    if facts["first_day"] is None:
        return found
    first = date.fromisoformat(facts["first_day"])
    return [
        *found,
        *_history(first, end, as_of, horizon_days, contract),
        *_silence(facts, as_of, horizon_days, contract),
    ]


def _history(first: date, end: date, as_of: date, horizon_days: int, contract: Contract) -> list[Found]:
    """Whether the history is long enough."""
    length, needed = (as_of - first).days, math.ceil(contract.minimum_horizons * horizon_days)
    if length >= needed:
        if length >= ENOUGH_HORIZONS * horizon_days:
            return []
        detail = (
            f"{length:,} days are known before {as_of}, fewer than {ENOUGH_HORIZONS} horizons of {horizon_days}: "
            "models have one past date to be tested on, and the intervals of forecast totals are wider for it"
        )
        return [Found(name="thin_history", severity="warning", done="counted", detail=detail)]
    earliest = first + timedelta(days=needed)
    if earliest <= end:
        mend = f"choose a date from {earliest} to {end}"
    else:
        longest = int((end - first).days / contract.minimum_horizons)
        mend = f"bring more history, or choose horizon_days of at most {longest}"
    return [
        Found(
            name="short_history",
            severity="refusal",
            done="refused",
            rule=f"contract.minimum_horizons = {contract.minimum_horizons:g}",
            detail=f"{length:,} days are known before {as_of}, and with horizon_days = {horizon_days} "
            f"{needed:,} are needed: {mend}",
        )
    ]


def _silence(facts: Mapping[str, Any], as_of: date, horizon_days: int, contract: Contract) -> list[Found]:
    """Whether the log reaches up to the date.

    It is stale if its last tenth before the date holds no line, or its last horizon: a whole horizon without a line
    would be read as everyone having left. A shorter silence, but longer than this log has had before, is told.
    """
    first, last = date.fromisoformat(facts["first_day"]), date.fromisoformat(facts["last_day"])
    latest = _latest(first, last, horizon_days, contract)
    silent = (as_of - last).days - 1
    ends = f"the last line is of {last}, {silent:,} silent days before {as_of}"
    if as_of > latest:
        detail = f"{ends}: bring newer lines, or choose a date up to {latest}"
        by = f"contract.silent_share = {contract.silent_share:g}"
        return [Found(name="stale", severity="refusal", done="refused", rule=by, detail=detail)]
    usual = max(1, min(facts["longest_pause"], horizon_days // 4))
    if silent < usual:
        return []
    known_until = last + timedelta(days=1)
    detail = f"{ends}: the lines may be late, so that all is counted up to {known_until}, the first day not known"
    return [Found(name="late", severity="warning", done="counted", detail=detail)]


def _latest(first: date, last: date, horizon_days: int, contract: Contract) -> date:
    """The last as-of date at which the log is not stale; at least the day after its last line."""
    share = contract.silent_share
    known = (last - first).days
    tenth = horizon_days if share == 1 else math.floor(known / (1 - share) + 1e-9) - known
    return last + timedelta(days=max(1, min(tenth, horizon_days)))
