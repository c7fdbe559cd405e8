"""The executive page: six measures, three findings, and how sure we are."""

from collections.abc import Callable, Sequence
from typing import Literal, TypedDict

import numpy as np
import pandas as pd
from great_tables import GT

from .. import bridge
from ..models.backtest import RULE
from ..study import Study
from . import change, figures, next_steps, page, tables, words
from . import measures as numbered
from .chapters import churn, customers, health, meaning, value
from .page import Picture
from .summary_types import Finding, Measure, Past

QUESTION = "How are our customers doing, and who is about to leave?"
PICTURE_QUESTION = "Are we losing customers?"


def measures(study: Study) -> list[Measure]:
    """The six measures, three that look back and three that look ahead."""
    periods = study.periods()
    now, before = periods.iloc[-1], periods.iloc[-2] if len(periods) > 1 else None
    return [
        _active(study, now, before),
        _rate(study, customers.repurchase(study), "Buyers who bought again", study.goals.repurchase_rate, "repurchase_rate", more_is_better=True,
              definition=f"Share of the last {words.days(study.horizon_days)}' buyers who bought on two days or more."),
        _rate(study, customers.churned(study), f"Active customers who {meaning.stayed_away(study)}", study.goals.churn_rate, "churned_rate", more_is_better=False,
              definition=f"Share of the customers active {words.days(study.horizon_days)} ago (a purchase in the {words.days(study.active_within_days)} before) who bought nothing since. Some will be back."),
        _spend_per_buyer(study, now, before),
        _expected_spend(study),
        _expected_leavers(study),
    ]  # fmt: skip


def _active(study: Study, now: pd.Series, before: pd.Series | None) -> Measure:
    # A group that nobody can join shrinks by itself: that is neither good nor bad.
    noise = np.inf if health.closed_group(study) else float(np.sqrt(now["active"]))
    change = _change(
        study,
        now["active"],
        None if before is None else before["active"],
        words.count,
        more_is_better=True,
        noise=noise,
    )
    return Measure(
        name="Active customers",
        number="active_customers",
        value=words.count(now["active"]),
        **change,
        definition=f"Customers with a purchase in the last {words.days(study.active_within_days)}. A count, so it has no interval.",
    )


def _rate(
    study: Study,
    rates: pd.DataFrame,
    name: str,
    goal: float | None,
    number: str,
    *,
    more_is_better: bool,
    definition: str,
) -> Measure:
    now, before = rates.iloc[-1], rates.iloc[-2] if len(rates) > 1 else None
    half = (rates["high"] - rates["low"]) / 2
    side = "at least" if more_is_better else "at most"
    # As printed: who subtracts the two shares must find the difference that is told.
    change = _change(
        study,
        round(now["share"], 3),
        None if before is None else round(before["share"], 3),
        words.points,
        more_is_better=more_is_better,
        noise=float(np.hypot(half.iloc[-1], 0.0 if before is None else half.iloc[-2])),
    )
    return Measure(
        name=name,
        number=number,
        value=words.percent(now["share"]),
        interval=words.between(now["low"], now["high"], words.percent),
        **change,
        goal="" if goal is None else f"{side} {words.percent(goal)}",
        goal_met=None if goal is None else bool(now["share"] >= goal if more_is_better else now["share"] <= goal),
        definition=definition,
    )


def _spend_per_buyer(study: Study, now: pd.Series, before: pd.Series | None) -> Measure:
    currency = study.dataset.currency
    mean, error = numbered.mean_and_error(now)
    earlier, earlier_error = (None, 0.0) if before is None else numbered.mean_and_error(before)
    low, high = numbered.around(mean, error)
    change = _change(
        study,
        mean,
        earlier,
        lambda v: words.money(v, currency),
        more_is_better=True,
        noise=1.645 * np.hypot(error * mean, earlier_error * (earlier or 0.0)),
    )
    return Measure(
        name="Spend per buyer",
        number="spend_per_buyer",
        value=words.money(mean, currency),
        interval=words.between(low, high, lambda v: words.money(v, currency)),
        **change,
        definition=f"Mean spend of those who bought in the last {words.days(study.horizon_days)}; no allowance for the season.",
    )


def _expected_spend(study: Study) -> Measure:
    currency, spend = study.dataset.currency, value.total(study, "expected_spend")
    # Like with like: what those spent in the last period who were known when it began.
    known = study.value_holdout()["totals"]["spend"]
    change = _change(
        study,
        spend.mean,
        known,
        lambda v: words.money(v, currency),
        more_is_better=True,
        noise=spend.high - spend.mean,
        since="what those known before it spent in",
    )
    return Measure(
        name="Spend to expect",
        number="expected_spend",
        value=words.money(spend.mean, currency),
        interval=spend.interval(lambda v: words.money(v, currency)),
        **change,
        definition=f"Spend in the next {words.days(study.horizon_days)} of all customers known so far{value.of_the_active(study)}.",
    )


def _expected_leavers(study: Study) -> Measure:
    leaving, active, (tested, left) = churn.leavers(study), churn.active_customers(study), churn.outcome(study)
    half = (leaving.mean - leaving.low) / active
    change = _change(
        study,
        leaving.mean / active,
        left / tested if tested else None,
        words.points,
        more_is_better=False,
        noise=half,
        since="the share that left in",
    )
    return Measure(
        name="Expected to leave",
        number="expected_leavers",
        value=words.whole(leaving.mean),
        interval=leaving.interval(words.whole),
        **change,
        definition=f"{meaning.were(study).capitalize()} who will probably {meaning.to_leave(study)}: {words.percent(leaving.mean / active)} of them.",
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
        "change": against
        if flat
        else f"{size} {against}" + (", within chance" if within and np.isfinite(noise) else ""),
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


def past(study: Study) -> Past:
    """The measures as numbers, and what became of them since earlier runs."""
    numbers, earlier = numbered.numbers(study), change.earlier_runs(study)
    crossed = change.bridged(study, earlier)
    return Past(
        numbers=numbers,
        value=bridge.told(study),
        bridge=crossed,
        changed=change.changed(study, numbers, earlier, crossed),
    )


def actions(study: Study, pages: Sequence[str]) -> list[Finding]:
    """What to do, where the report has the page that says why; see `next_steps.steps`."""
    return next_steps.steps(study) if next_steps.PAGE in pages else []


def answer(study: Study) -> str:
    """What happened, who is leaving, what they are worth: three sentences."""
    rates, leaving, currency = customers.churned(study), churn.leavers(study), study.dataset.currency
    now = rates.iloc[-1]
    happened, in_them = "", "in them" if study.by_silence else f"in the next {words.days(study.horizon_days)}"
    if len(rates) > 1:
        before = rates["share"].iloc[-2]
        chance = float(np.hypot(*((rates["high"] - rates["low"]) / 2).iloc[-2:]))
        moved = words.moved(
            now["share"], before, up="more than", down="fewer than", flat="about as many as", least=chance
        )
        happened = f", {moved} in the period before ({words.percent(before)})"
    return (
        f"In the {words.days(study.horizon_days)} before {words.day(study.as_of)}, {words.percent(now['share'])} of the active customers bought nothing{happened}. "
        f"Of the {words.count(churn.active_customers(study))} {meaning.now(study)}, we expect about {words.whole(leaving.mean)} to {meaning.to_leave(study)}. "
        f"All customers known so far should spend about {words.money(value.total(study, 'expected_spend').mean, currency)} {in_them}{value.of_the_active(study)}. {health.closed_group(study)}"
    ).rstrip()


def picture(study: Study) -> Picture:
    """The one figure of the first page: the churn rate, period by period."""
    goal, rates = study.goals.churn_rate, customers.churned(study)
    drawn = figures.rate_over_time(
        rates, goal, "Active customers who bought nothing in the period", events=study.events()
    )
    reading = customers.read_rate(rates, goal, "Churn rate", more_is_better=False, events=study.events())
    return page.picture(drawn, reading)


def certainty(study: Study) -> str:
    """How sure we are, from the periods that were kept back."""
    best, left = study.churn()["about"]["winner"], churn.outcome(study)[1]
    promised, rule = churn.promised(study, best), churn.promised(study, RULE)
    if best == RULE:
        sorting = f"No model sorts customers better than the days since the last purchase, so that rule is used; it promised {words.whole(promised)} leavers for the last period"
    else:
        nearer = "and" if abs(promised - left) <= abs(rule - left) else "but"
        sorting = (
            f"{best} sorts customers better than the days since the last purchase, {nearer} in number it promised {words.whole(promised)} leavers "
            f"for the last period where that rule promised {words.whole(rule)}"
        )
    return (
        f"{sorting}; {words.count(left)} left. The forecast of spend for that period was {value.off(value.totals_table(study).loc['Model', 'bias'])}. "
        f"{value.say_totals(study)} {value.say_verdict(study)} Expect surprises of that size again."
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
    """What was promised one period ago and what happened; what, promised, happened, rule (its name), simple (its promise)."""
    totals, spend = study.value_holdout()["totals"], value.totals_table(study)
    rival = str(value.total_errors(study).drop("Model").idxmin())
    model, simple = (totals[f"{value.FORECASTS[name]}_purchases"] for name in ("Model", rival))
    promised, by_rule = (churn.promised(study, name) for name in (study.churn()["about"]["winner"], RULE))
    rows = [
        (f"{meaning.were(study).capitalize()} who left", promised, churn.outcome(study)[1], RULE, by_rule),
        ("Purchase days", model, totals["purchases"], rival, simple),
        (
            f"Spend, {study.dataset.currency}",
            *spend.loc[["Model", "What happened"], "total"],
            rival,
            spend.loc[rival, "total"],
        ),
    ]
    return pd.DataFrame(rows, columns=["what", "promised", "happened", "rule", "simple"])


def promise_table(study: Study) -> GT:
    """`promises` as a table."""
    return tables.table(
        promises(study),
        title=f"Promised on {words.day(study.origins()[0])} for the {study.horizon_days} days after, and what happened",
        columns={
            "what": tables.text("What"),
            "promised": tables.count("Promised"),
            "happened": tables.count("Happened"),
            "rule": tables.text("Simple rule"),
            "simple": tables.count("Promised by it"),
        },
    )


def read_promises(study: Study) -> str:
    """Which promises were closer than the simple rule's."""
    table = promises(study)
    closer = table[(table["promised"] - table["happened"]).abs() < (table["simple"] - table["happened"]).abs()]["what"]
    if len(closer) == 0:
        return "In no total was the promise closer than a simple rule's: read the forecasts with care."
    return f"The promise was closer than the simple rule's for {words.listed(what.split(',')[0].lower() for what in closer)} ({len(closer)} of {len(table)})."


def limits(study: Study) -> str:
    """Where this page fails."""
    return (
        "These measures describe and foretell; they do not say what a campaign caused. They rest on one test period, an assumed margin of "
        f"{words.percent(study.dataset.study.margin)}, and on customers who can be recognised when they buy. {churn.of_a_sample(study)}"
    ).rstrip()


def finding_list(study: Study) -> str:
    """The findings as a Markdown list."""
    return "\n".join(f"- {finding.text}" for finding in findings(study))


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    rates, leaving = customers.churned(study), churn.leavers(study)
    return (
        f"{words.percent(rates['share'].iloc[-1])} of our active customers bought nothing in the last {words.days(study.horizon_days)}, and we expect about "
        f"{words.whole(leaving.mean)} of today's {words.count(churn.active_customers(study))} to {meaning.to_leave_next(study)}; {churn.came_back(study)}"
    )
