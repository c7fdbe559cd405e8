"""The executive page: six measures, three findings, and how sure we are."""

from collections.abc import Callable
from typing import Literal, TypedDict

import numpy as np
import pandas as pd
from great_tables import GT

from ..models.backtest import RULE
from ..study import Study
from . import figures, page, tables, words
from .chapters import churn, customers, health, value
from .page import Picture
from .summary_types import Finding, Measure


def measures(study: Study) -> list[Measure]:
    """The six measures, three that look back and three that look ahead."""
    periods = study.periods()
    now, before = periods.iloc[-1], periods.iloc[-2] if len(periods) > 1 else None
    return [
        _active(study, now, before),
        _rate(study, customers.repurchase(study), "Buyers who came back", study.dataset.goals.repurchase_rate, more_is_better=True,
              definition=f"Share of the last {words.days(study.horizon_days)}' buyers who bought on more than one day of them."),
        _rate(study, customers.churned(study), "Customers who left", study.dataset.goals.churn_rate, more_is_better=False,
              definition=f"Share of the customers active {words.days(study.horizon_days)} ago (a purchase in the {words.days(study.active_within_days)} before) who bought nothing since."),
        _spend_per_buyer(study, now, before),
        _expected_spend(study, now),
        _expected_leavers(study, now),
    ]  # fmt: skip


def _active(study: Study, now: pd.Series, before: pd.Series | None) -> Measure:
    return Measure(
        name="Active customers",
        value=words.count(now["active"]),
        **_change(
            study,
            now["active"],
            None if before is None else before["active"],
            words.count,
            more_is_better=True,
            noise=float(np.sqrt(now["active"])),
        ),
        definition=f"Customers with a purchase in the last {words.days(study.active_within_days)}. A count, so it has no interval.",
    )


def _rate(
    study: Study, rates: pd.DataFrame, name: str, goal: float | None, *, more_is_better: bool, definition: str
) -> Measure:
    now = rates.iloc[-1]
    before = rates["share"].iloc[-2] if len(rates) > 1 else None
    side = "at least" if more_is_better else "at most"
    return Measure(
        name=name,
        value=words.percent(now["share"]),
        interval=words.between(now["low"], now["high"], words.percent),
        **_change(
            study,
            now["share"],
            before,
            words.points,
            more_is_better=more_is_better,
            noise=(now["high"] - now["low"]) / 2,
        ),
        goal="" if goal is None else f"{side} {words.percent(goal)}",
        goal_met=None if goal is None else bool(now["share"] >= goal if more_is_better else now["share"] <= goal),
        definition=definition,
    )


def _spend_per_buyer(study: Study, now: pd.Series, before: pd.Series | None) -> Measure:
    currency = study.dataset.currency
    mean, half = _mean_and_half(now)
    return Measure(
        name="Spend per buyer",
        value=words.money(mean, currency),
        interval=words.between(mean - half, mean + half, lambda v: words.money(v, currency)),
        **_change(
            study,
            mean,
            None if before is None else _mean_and_half(before)[0],
            lambda v: words.money(v, currency),
            more_is_better=True,
            noise=half,
        ),
        definition=f"Mean spend of the customers who bought in the last {words.days(study.horizon_days)}.",
    )


def _mean_and_half(period: pd.Series) -> tuple[float, float]:
    """Mean spend per buyer and half of its 90 % interval."""
    n = max(period["buyers"], 1)
    mean = period["spend"] / n
    variance = max(period["spend_squared"] / n - mean**2, 0.0)
    return float(mean), float(1.645 * np.sqrt(variance / n))


def _expected_spend(study: Study, now: pd.Series) -> Measure:
    currency, spend = study.dataset.currency, value.total(study, "expected_spend")
    return Measure(
        name="Spend to expect",
        value=words.money(spend.mean, currency),
        interval=spend.interval(lambda v: words.money(v, currency)),
        **_change(
            study,
            spend.mean,
            now["spend"],
            lambda v: words.money(v, currency),
            more_is_better=True,
            since="what was spent in",
            noise=spend.mean - spend.low,
        ),
        definition=f"Spend of today's customers in the next {words.days(study.horizon_days)}; new customers come on top.",
    )


def _expected_leavers(study: Study, now: pd.Series) -> Measure:
    leaving = churn.leavers(study)
    return Measure(
        name="Customers about to leave",
        value=words.number(leaving.mean),
        interval=leaving.interval(words.number),
        **_change(
            study,
            leaving.mean,
            now["churned"],
            lambda v: words.number(round(v)),
            more_is_better=False,
            since="those who left in",
            noise=leaving.mean - leaving.low,
        ),
        definition=f"Active customers expected to buy nothing in the next {words.days(study.horizon_days)}.",
    )


class _Change(TypedDict, total=False):
    """The part of a `Measure` that compares it with the period before."""

    change: str
    direction: Literal["up", "down", "flat"]
    good: bool | None


def _change(
    study: Study,
    now: float,
    before: float | None,
    write: Callable[[float], str],
    *,
    more_is_better: bool,
    noise: float,
    since: str = "",
) -> _Change:
    """Compare a measure with the period before.

    Parameters
    ----------
    now, before : values; None or missing if there is no period before.
    write : how a difference is written.
    more_is_better : whether up is good.
    noise : differences no larger than this are within chance, and neither good nor bad.
    since : what it is compared with, if not the same measure of the period before.
    """
    if before is None or pd.isna(before):
        return {}
    size = write(abs(now - before))
    flat = size == write(0.0)
    span = words.days(study.horizon_days)
    against = f"against {since} the last {span}" if since else f"on the {span} before"
    direction: Literal["up", "down", "flat"] = "flat" if flat else "up" if now > before else "down"
    within = abs(now - before) <= noise
    return {
        "change": against if flat else f"{size} {against}" + (", within chance" if within else ""),
        "direction": direction,
        "good": None if within else bool((now > before) == more_is_better),
    }


def findings(study: Study) -> list[Finding]:
    """Three sentences for a meeting, each with the page that shows why."""
    return [
        Finding(text=churn.meeting(study), page="04_churn"),
        Finding(text=value.meeting(study), page="03_lifetime_value"),
        Finding(text=customers.meeting(study), page="02_customer_base"),
    ]


def answer(study: Study) -> str:
    """What happened, who is leaving, what they are worth: three sentences."""
    rates, leaving, currency = customers.churned(study), churn.leavers(study), study.dataset.currency
    now = rates.iloc[-1]
    if len(rates) > 1:
        before = rates["share"].iloc[-2]
        chance = (now["high"] - now["low"]) / 2
        moved = words.moved(
            now["share"], before, up="more than", down="fewer than", flat="about as many as", least=chance
        )
        happened = f", {moved} in the period before ({words.percent(before)})"
    else:
        happened = ""
    return (
        f"In the {words.days(study.horizon_days)} to {words.day(study.as_of)}, {words.percent(now['share'])} of the active customers bought nothing{happened}. "
        f"Of the {words.count(len(study.churn()['scores']))} who are active now, we expect about {words.number(leaving.mean)} to do the same in the next {words.days(study.horizon_days)}. "
        f"Today's customers should then spend about {words.money(value.total(study, 'expected_spend').mean, currency)}."
    )


def picture(study: Study) -> Picture:
    """The one figure of the first page: the churn rate, period by period."""
    goal, rates = study.dataset.goals.churn_rate, customers.churned(study)
    drawn = figures.rate_over_time(rates, goal, "Active customers who bought nothing in the period")
    return page.picture(drawn, customers.read_rate(rates, goal, "Churn rate", more_is_better=False))


def certainty(study: Study) -> str:
    """How sure we are, from the period that was kept back."""
    holdout, best = study.churn()["holdout"], study.churn()["about"]["winner"]
    chosen = (
        "the simple rule “days since the last purchase”, which no model beat"
        if best == RULE
        else f"{best}, which beat the simple rule"
    )
    bias = value.totals_table(study).loc["Model", "bias"]
    return (
        f"One period ago we would have promised {words.number(holdout[best].sum())} leavers with {chosen}; {words.count(holdout['churned'].sum())} came. "
        f"The forecast of spend would have been {value.off(bias)}. {value.say_verdict(study)} {health.freshness(study)} "
        "One test period is one draw: expect surprises of that size again."
    )


def measure_table(study: Study) -> GT:
    """The six measures as a table."""
    rows = [
        {
            "name": measure.name,
            "value": measure.value,
            "interval": measure.interval or words.NOTHING,
            "goal": f"{measure.goal} ({'met' if measure.goal_met else 'missed'})" if measure.goal else words.NOTHING,
        }
        for measure in measures(study)
    ]
    return tables.table(
        pd.DataFrame(rows),
        title=f"Six measures on {words.day(study.as_of)}",
        columns={
            "name": tables.text("Measure"),
            "value": tables.text("Value"),
            "interval": tables.text("90 % interval"),
            "goal": tables.text("Goal"),
        },
    )


def read_measures(study: Study) -> str:
    """Goals, and changes beyond chance, in two sentences."""
    moved = [
        f"{measure.name.lower()} {measure.direction} {measure.change}"
        for measure in measures(study)
        if measure.good is not None
    ]
    changes = f"Beyond chance, {words.listed(moved)}." if moved else "No measure has changed beyond chance."
    return f"{_goals(study)} {changes}"


def _goals(study: Study) -> str:
    """The goals in a sentence."""
    with_goal = [measure for measure in measures(study) if measure.goal_met is not None]
    if not with_goal:
        return "No goals are set in the dataset file."
    met = [measure.name.lower() for measure in with_goal if measure.goal_met]
    missed = [measure.name.lower() for measure in with_goal if not measure.goal_met]
    said = [f"met: {words.listed(met)}" if met else "", f"missed: {words.listed(missed)}" if missed else ""]
    return f"Goals {'; '.join(part for part in said if part)}."


def promises(study: Study) -> pd.DataFrame:
    """What was promised one period ago and what came; what, promised, happened, naive."""
    holdout, spend = study.churn(), value.totals_table(study)
    each = study.value_holdout()["customers"]
    best = holdout["about"]["winner"]
    rows = [
        (
            "Customers who left",
            holdout["holdout"][best].sum(),
            holdout["holdout"]["churned"].sum(),
            holdout["holdout"][RULE].sum(),
        ),
        ("Purchase days", each["expected_purchases"].sum(), each["purchases"].sum(), each["rate_purchases"].sum()),
        (f"Spend, {study.dataset.currency}", *spend.loc[["Model", "What happened", "Rate so far"], "total"]),
    ]
    return pd.DataFrame(rows, columns=["what", "promised", "happened", "naive"])


def promise_table(study: Study) -> GT:
    """`promises` as a table."""
    return tables.table(
        promises(study),
        title=f"Promised on {words.day(study.origins()[0])} and come true in the {study.horizon_days} days after",
        columns={
            "what": tables.text("What"),
            "promised": tables.count("Promised"),
            "happened": tables.count("Happened"),
            "naive": tables.count("Naive rule"),
        },
    )


def read_promises(study: Study) -> str:
    """Which promises were better than the naive rule's."""
    table = promises(study)
    closer = table[(table["promised"] - table["happened"]).abs() <= (table["naive"] - table["happened"]).abs()]["what"]
    if len(closer) == 0:
        return "In no total was the promise closer than the naive rule: read the forecasts with care."
    return f"The promise was closer than the naive rule, or the same, for {words.listed(what.split(',')[0].lower() for what in closer)}."


def limits(study: Study) -> str:
    """Where this page fails."""
    return (
        "These measures describe and foretell; they do not say what a campaign caused. They rest on one test period, an assumed margin of "
        f"{words.percent(study.dataset.study.margin)}, and on customers who can be recognised when they buy."
    )


def finding_list(study: Study) -> str:
    """The findings as a Markdown list."""
    return "\n".join(f"- {finding.text}" for finding in findings(study))


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    rates, leaving = customers.churned(study), churn.leavers(study)
    return (
        f"We lost {words.percent(rates['share'].iloc[-1])} of our active customers in the last {words.days(study.horizon_days)} and expect about "
        f"{words.number(leaving.mean)} more to go in the next."
    )
