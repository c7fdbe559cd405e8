"""Chapter 4: who is leaving, how surely we know, and why the model thinks so."""

import numpy as np
import pandas as pd
from great_tables import GT

from ...models.backtest import RULE
from ...models.line_up import NAIVE
from ...models.metrics import calibration, captured
from ...study import Study
from .. import tables, words
from ..privacy import hidden, suppress
from . import meaning
from .value import Total

LIST_SHARE = 0.2
LACKING = {
    "transactions.discount": "discounts", "transactions.coupon": "coupons", "products.category": "the kind of product",
    "transactions.store": "stores", "transactions.channel": "channels", "transactions.time": "the time of day",
    "contacts": "campaigns received", "redemptions": "coupons handed in", "points": "points", "customers.joined": "when they joined",
    "customers.birthday": "their age", "programme.tiers": "tiers", "transactions that reach back": "the same weeks a year before",
}  # fmt: skip
"""What a dataset may lack, in words."""

UNKNOWN_LEVEL = 0.25
"""Assumed change of the churn rate from one period to the next, as a share of it, where only one was seen."""
BANDS = (0, 0.1, 0.25, 0.5, 0.75, 1.000001)
BAND_NAMES = ("under 10 %", "10 to 25 %", "25 to 50 %", "50 to 75 %", "over 75 %")
LIKELY = BAND_NAMES[-2:]


def answer(study: Study) -> str:
    """Three sentences: how many, how surely, and what a list finds."""
    best, table = study.churn()["about"]["winner"], study.churn()["comparison"]
    leaving, active = leavers(study), active_customers(study)
    ranked = f"ranked them right {words.number(100 * table.loc[best, 'auc'])} times in 100"
    if by_rule(study):
        surely = f"No model clearly beat the simple rules; the one in use, {best.lower()}, given one customer who left and one who stayed, {ranked}"
    else:
        surely = (
            f"Given one customer who left and one who stayed, the model {ranked} in the last period; "
            f"the days since the last purchase alone, {words.number(100 * table.loc[RULE, 'auc'])} times"
        )
    return (
        f"Of {words.count(active)} {meaning.who(study)} we expect about {words.whole(leaving.mean)} to {meaning.to_leave(study)} "
        f"(90 % interval {leaving.interval(words.whole)}). {surely}. {read_list(study)}"
    )


def by_rule(study: Study) -> bool:
    """Whether a rule is in use, for no model clearly beat it."""
    return study.churn()["about"]["winner"] in NAIVE


def read_list(study: Study) -> str:
    """What a call list of a fifth of the customers would have found in the last period, against chance, in a sentence."""
    tested, left = outcome(study)
    size, hits = round(LIST_SHARE * tested), found(study, study.churn()["about"]["winner"]) * left
    return (
        f"A list of the {words.count(size)} most at risk, a fifth, would have held {words.count(hits)} of the {words.count(left)} who left; "
        f"one drawn at random, {words.count(LIST_SHARE * left)}, and a perfect one, {words.count(min(size, left))}."
    )


def definition(study: Study) -> str:
    """What churn means here."""
    return (
        f"{meaning.definition(study)} {tested_on(study)} {meaning.before_coming_back(study)} {came_back(study)} {of_a_sample(study)}"
    ).rstrip()


def active_customers(study: Study) -> int:
    """How many can leave: of whom it is asked."""
    return int(study.churn()["about"]["asked"])


def outcome(study: Study) -> tuple[int, int]:
    """How many could leave on the test date, and how many of them did."""
    last = study.churn()["periods"].iloc[-1]
    return int(last["at_risk"]), int(last["churned"])


def promised(study: Study, model: str) -> float:
    """Leavers that a model promised on the test date, scaled up to everyone where they are of a sample."""
    holdout = study.churn()["holdout"]
    return float(holdout[model].mean() * outcome(study)[0])


def of_a_sample(study: Study) -> str:
    """Which customers probabilities are of where that is a sample, in two sentences; empty where it is everyone."""
    sizes = (len(study.churn()["scores"]), active_customers(study)), (len(study.churn()["holdout"]), outcome(study)[0])
    told = (
        words.sampled("Probabilities of today", *sizes[0], whom="active customers"),
        words.sampled("Tests", *sizes[1], whom="customers active on the test date"),
    )
    return f"{' '.join(filter(None, told))} Counts are scaled up to everyone." if any(told) else ""


def tested_on(study: Study) -> str:
    """What the models learned from and what they were tested on, in a sentence."""
    about, day = study.churn()["about"], words.day(study.origins()[0])
    if about["later"]:
        return f"The test date is {day}; the models learned from {words.count(about['learned_from'])} outcomes of earlier dates, all known before it."
    return (
        f"The log is shorter than three periods of {words.days(study.horizon_days)}: the models were tested at {day} on customers that they had not "
        f"learned from, not on a later time. That flatters them, and the intervals are wider for it."
    )


def came_back(study: Study) -> str:
    """How many of those who had bought nothing for a period bought again in the next, in a sentence."""
    known, away = study.came_back(), f"had {meaning.stayed_away(study)}"
    if known["churned"] < study.dataset.privacy.minimum_cell:
        return f"too few {away} one period before to say how many of them came back."
    share = known["returned"] / known["churned"]
    return f"of the {words.count(known['churned'])} who {away} one period before, {words.percent(share)} bought again in the last {words.days(study.horizon_days)}."


def leavers(study: Study) -> Total:
    """Customers expected to leave in the horizon.

    The interval adds two errors: customers decide by chance (sum of p(1 - p)), and the level may be off. How far is
    taken from the larger of two: the miss of the total on the test date, and how much the churn rate differs from
    period to period, as a share of it. After a single period nobody knows that yet, and `UNKNOWN_LEVEL` is taken.
    A sum over a sample is scaled up to everyone, and its sampling error is a third.
    """
    probability = study.churn()["scores"]["churn_probability"]
    everyone, seen = active_customers(study), len(probability)
    missed = abs(promised(study, study.churn()["about"]["winner"]) / max(outcome(study)[1], 1) - 1)
    periods = study.churn()["periods"]
    rates = (periods["churned"] / periods["at_risk"]).dropna()
    differs = rates.std() / rates.mean() if len(rates) > 2 and rates.mean() else 0.0
    if not study.churn()["about"]["later"]:
        differs = max(differs, UNKNOWN_LEVEL)
    total = probability.mean() * everyone
    chance = (probability * (1 - probability)).mean() * everyone
    sampling = everyone * (everyone - seen) * probability.var() / seen if seen > 1 else 0.0
    half = 1.645 * np.sqrt(chance + sampling + (max(missed, differs) * total) ** 2)
    return Total(float(total), float(max(total - half, 0)), float(min(total + half, everyone)))


def found(study: Study, model: str, share: float = LIST_SHARE) -> float:
    """Share of the leavers of the test period among the `share` of customers that the model thought likeliest to leave."""
    holdout = study.churn()["holdout"]
    return captured(holdout["churned"].to_numpy(dtype="float64"), holdout[model].to_numpy(), share)


def comparison(study: Study) -> GT:
    """Models side by side on the test date, as a table."""
    table = study.churn()["comparison"].reset_index()
    table["found"] = [found(study, name) for name in table["model"]]
    table["expected"] = [promised(study, name) for name in table["model"]]
    tested, left = outcome(study)
    return tables.table(
        table[["model", "auc", "auc_low", "auc_high", "log_loss", "log_loss_gain", "expected", "found"]],
        title=f"Ways to foretell who leaves, tested on the {study.horizon_days} days from {words.day(study.origins()[0])}",
        columns={
            "model": tables.text("Model"),
            "auc": tables.percent("Pairs told apart"),
            "auc_low": tables.percent("90 % from"),
            "auc_high": tables.percent("to"),
            "log_loss": tables.number("Log-loss"),
            "log_loss_gain": tables.number("Gain on the rule"),
            "expected": tables.count("Leavers promised"),
            "found": tables.percent("Leavers found in a fifth"),
        },
        notes=[f"{words.count(left)} of {words.count(tested)} {meaning.were(study)} left. Lower log-loss is better."],
    )


def read_comparison(study: Study) -> str:
    """Which model is used, and why."""
    about, table = study.churn()["about"], study.churn()["comparison"]
    best = about["winner"]
    others = table["log_loss"].drop(best)
    if by_rule(study):
        on_this = f"; on this one {_gain(table.loc[others.idxmin()], str(others.idxmin()))}" if len(others) else ""
        return f"On the dates before, no model clearly beat the simple rules, so {best.lower()} is used{on_this}. {meaning.unasked(study)}".rstrip()
    return (
        f"{best} is used: {_gain(table.loc[best], 'it')} on customers and days that it had not seen.{_simpler(study)} {meaning.unasked(study)}"
    ).rstrip()


def _gain(row: pd.Series, who: str) -> str:
    gain, low, high = row["log_loss_gain"], row["log_loss_gain_low"], row["log_loss_gain_high"]
    return (
        f"against the days since the last purchase {who} has a log-loss that is smaller by {words.number(gain)} "
        f"(90 % interval {words.between(low, high, words.number)})"
    )


def _simpler(study: Study) -> str:
    """What is simpler than the blend and was not clearly beaten on the dates of the choice, in a sentence."""
    about, best = study.tournament()["about"]["churn"], study.churn()["about"]["winner"]
    if about["winner"] == best:
        return ""
    if about["winner"] in about["beaten"].get(best, []):
        return f" On the dates before, {about['winner']} alone was clearly better; {best} is used because it alone gives intervals for every forecast."
    return f" On the dates before, {about['winner']} alone did about as well, and is simpler; {best} is used because it alone gives intervals for every forecast."


def calibration_curves(study: Study) -> dict[str, pd.DataFrame]:
    """Promised against realised, the model in use first."""
    holdout, best = study.churn()["holdout"], study.churn()["about"]["winner"]
    actual = holdout["churned"].to_numpy(dtype="float64")
    names = dict.fromkeys([best, *holdout.columns.drop("churned")])
    groups = max(1, min(10, len(actual) // study.dataset.privacy.minimum_cell))
    return {name: calibration(actual, holdout[name].to_numpy(), groups) for name in names}


def read_calibration(study: Study) -> str:
    """Whether the probabilities keep their promise."""
    best, curve = study.churn()["about"]["winner"], next(iter(calibration_curves(study).values()))
    kept = curve["promised"].between(curve["low"], curve["high"]).sum()
    last = curve.iloc[-1]
    return (
        f"The promise of {best} lies inside the 90 % interval of what happened in {kept} of {len(curve)} groups (nine in ten are to be expected); the group most at risk was promised "
        f"{words.percent(last['promised'])} and {words.percent(last['realised'])} left. In all, {words.whole(promised(study, best))} leavers were promised and "
        f"{words.count(outcome(study)[1])} left."
    )


def gains(study: Study) -> dict[str, pd.Series]:
    """Share of the leavers found by the share of customers looked at, one curve a model, the model in use first."""
    holdout, best = study.churn()["holdout"], study.churn()["about"]["winner"]
    churned = holdout["churned"].to_numpy(dtype="float64")
    curves = {}
    for name in dict.fromkeys([best, *holdout.columns.drop("churned")]):
        order = np.argsort(-holdout[name].to_numpy(), kind="stable")
        reached = np.concatenate([[0.0], churned[order].cumsum() / churned.sum()])
        curves[name] = pd.Series(reached, index=np.linspace(0, 1, len(reached)))
    return curves


def read_gains(study: Study) -> str:
    """What a call list is good for."""
    best = study.churn()["about"]["winner"]
    others = [f"{words.percent(found(study, name))} by {name}" for name in gains(study) if name != best]
    return f"{read_list(study)} That is {words.percent(found(study, best))} by {best}, against {words.listed(others)}."


def bands(study: Study) -> pd.DataFrame:
    """Active customers by probability of leaving.

    Returns
    -------
    Index band; customers, leavers (expected), spend (expected over the horizon, money), scaled up to everyone; seen, how
    many customers they were computed from.
    """
    scores = study.churn()["scores"]
    probability = scores["churn_probability"]
    band = pd.cut(probability, BANDS, right=False, labels=BAND_NAMES)
    each = pd.DataFrame({"p": probability, "spend": scores["expected_spend"]})
    table = each.groupby(band, observed=False).agg(seen=("p", "size"), leavers=("p", "sum"), spend=("spend", "sum"))
    scale = active_customers(study) / len(scores)
    return pd.DataFrame(
        {
            "customers": (table["seen"] * scale).round().astype("int64"),
            "leavers": table["leavers"] * scale,
            "spend": table["spend"] * scale,
            "seen": table["seen"],
        }
    )


def publishable_bands(study: Study) -> pd.DataFrame:
    """The risk bands, those that must not be told of missing."""
    table = bands(study)
    return table[~hidden(table["seen"], study.dataset.privacy.minimum_cell)].reindex(table.index)


def few(study: Study) -> str:
    """What stands in place of a band that must not be told of."""
    everyone = len(study.churn()["scores"]) == active_customers(study)
    return f"<{study.dataset.privacy.minimum_cell}" if everyone else "hidden"


def explain_risk(study: Study) -> str:
    """What is at stake."""
    return f"Spend is what the scores expect of these customers. {at_stake(study)}"


def at_stake(study: Study) -> str:
    """How much of the expected spend hangs on those more likely to leave than to stay, in a sentence."""
    likely, total = publishable_bands(study).loc[list(LIKELY)], bands(study)["spend"].sum()
    if likely["customers"].isna().any() or not likely["customers"].sum():
        return _hardly_any(study)
    spend = likely["spend"].sum()
    return (
        f"The {words.count(likely['customers'].sum())} who are more likely to leave than to stay carry {words.percent(spend / total if total else np.nan)} of the spend "
        f"expected from active customers, {words.money(spend, study.dataset.currency)}."
    )


def _hardly_any(study: Study) -> str:
    return (
        f"Of {words.count(active_customers(study))} active customers hardly any is more likely to leave than to stay."
    )


def risk(study: Study) -> GT:
    """Risk bands as a table."""
    table = bands(study)
    table = suppress(table, "customers", study.dataset.privacy.minimum_cell, table["seen"])
    table = table.rename_axis("band").reset_index()
    table["band"] = table["band"].astype(str)
    return tables.table(
        table,
        title=f"Active customers on {words.day(study.as_of)} by their probability of leaving",
        columns={
            "band": tables.text("Probability of leaving"),
            "customers": tables.count("Customers"),
            "leavers": tables.count("Leavers expected"),
            "spend": tables.money(f"Spend expected in {study.horizon_days} days", study.dataset.currency),
        },
    )


def read_risk(study: Study) -> str:
    """Where to look first."""
    likely = publishable_bands(study).loc[list(LIKELY)]
    if likely["customers"].isna().any() or not likely["customers"].sum():
        return _hardly_any(study)
    return (
        f"{words.count(likely['customers'].sum())} active customers are more likely to leave than to stay; "
        f"about {words.whole(likely['leavers'].sum())} of them are expected to."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    return (
        f"One test period is one draw: a season, a price change or a new shop next door makes the next one different. {meaning.limits(study)} "
        f"Nothing here says what a campaign would change. {unknown(study)}"
    ).rstrip()


def unknown(study: Study) -> str:
    """What the models could not look at, because the dataset lacks it, in a sentence; empty if it has all."""
    lacking = {word for what in study.lacking() for start, word in LACKING.items() if what.startswith(start)}
    return f"Not known of these customers, and so not looked at: {words.listed(sorted(lacking))}." if lacking else ""


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    leaving = leavers(study)
    return (
        f"We expect about {words.whole(leaving.mean)} of our {words.count(active_customers(study))} {meaning.who(study)} to {meaning.to_leave(study)} "
        f"({leaving.interval(words.whole)}). {at_stake(study)}"
    )
