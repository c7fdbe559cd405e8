"""The measures of a report as numbers: what its manifest keeps, and what later reports draw and compare."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ..study import Study
from .chapters import churn, customers, meaning, points_numbers, points_worth, value
from .chapters.watch import told_runs
from .summary_types import Number

FOUND = {"refusal": "Findings that refuse a score", "warning": "Findings to be looked into", "note": "Notes"}


def numbers(study: Study) -> list[Number]:
    """All of them, in the order in which they are shown; what concerns few customers has no value."""
    found = [*_base(study), *_ahead(study), *_models(study), *_programme(study), *_health(study)]
    return [_told(study, number) for number in found]


def _told(study: Study, number: Number) -> Number:
    """The number without its value, where it counts fewer customers than may be told of."""
    few = number.unit == "customers" and 0 < (number.value or 0) < study.dataset.privacy.minimum_cell
    return replace(number, value=None, low=None, high=None) if few else number


def _base(study: Study) -> list[Number]:
    """What happened in the period before the report."""
    now = study.periods().iloc[-1]
    return [
        Number(name="active_customers", label="Active customers", group="base", unit="customers", value=now["active"],
               more_is_better=True),
        _share(study, customers.repurchase(study), "repurchase_rate", "Buyers who bought again", now["buyers"],
               goal=study.goals.repurchase_rate, more_is_better=True),
        _share(study, customers.churned(study), "churned_rate", f"Active customers who {meaning.stayed_away(study)}",
               now["at_risk"], goal=study.goals.churn_rate, more_is_better=False),
        _spend_per_buyer(study, now),
        Number(name="order_value", label="Spend per purchase day", group="base", unit="money",
               value=now["spend"] / now["purchase_days"] if _enough(study, now["buyers"]) else None,
               more_is_better=True),
    ]  # fmt: skip


def _share(
    study: Study, rates: pd.DataFrame, name: str, label: str, of: float, *, goal: float | None, more_is_better: bool
) -> Number:
    last = rates.iloc[-1]
    told = {"value": last["share"], "low": last["low"], "high": last["high"]} if _enough(study, of) else {"value": None}
    return Number(name=name, label=label, group="base", unit="share", **told, goal=goal, more_is_better=more_is_better)


def _spend_per_buyer(study: Study, period: pd.Series) -> Number:
    mean, error = mean_and_error(period)
    low, high = around(mean, error)
    told = {"value": mean, "low": low, "high": high} if _enough(study, period["buyers"]) else {"value": None}
    return Number(
        name="spend_per_buyer", label="Spend per buyer", group="base", unit="money", **told, more_is_better=True
    )  # fmt: skip


def mean_and_error(period: pd.Series) -> tuple[float, float]:
    """Mean spend per buyer of a period, and its standard error as a share of it; see `features.rfm.measures`."""
    n = max(period["buyers"], 1)
    mean = period["spend"] / n
    variance = max(period["spend_squared"] / n - mean**2, 0.0)
    return float(mean), float(np.sqrt(variance / n) / mean) if mean else 0.0


def around(mean: float, error: float) -> tuple[float, float]:
    """90 % interval of such a mean; on the log scale, as spend per buyer cannot be below zero."""
    return float(mean * np.exp(-1.645 * error)), float(mean * np.exp(1.645 * error))


def _enough(study: Study, customers: float) -> bool:
    return bool(customers >= study.dataset.privacy.minimum_cell)


def _ahead(study: Study) -> list[Number]:
    """What is expected of the period after it."""
    spend, worth = (value.total(study, name) for name in ("expected_spend", "clv"))
    leaving, active = churn.leavers(study), churn.active_customers(study)
    return [
        Number(name="expected_spend", label="Spend to expect", group="ahead", unit="money", value=spend.mean,
               low=spend.low, high=spend.high, more_is_better=True),
        Number(name="clv", label="Value of all customers", group="ahead", unit="money", value=worth.mean,
               low=worth.low, high=worth.high, more_is_better=True),
        Number(name="expected_leavers", label="Expected to leave", group="ahead", unit="customers", value=leaving.mean,
               low=leaving.low, high=leaving.high, more_is_better=False),
        Number(name="expected_churn", label="Share expected to leave", group="ahead", unit="share",
               value=leaving.mean / active, low=leaving.low / active, high=leaving.high / active, more_is_better=False),
    ]  # fmt: skip


def _models(study: Study) -> list[Number]:
    """How good forecasts were: on the period that was kept back, and of scores whose horizon is over."""
    best, (tested, left) = study.churn()["about"]["winner"], churn.outcome(study)
    row, spend = study.churn()["comparison"].loc[best], value.totals_table(study)
    return [
        _model("auc", "Ranked right, test period (AUC)", "share", float(row["auc"]), row.get("auc_low"),
               row.get("auc_high"), more_is_better=True),
        *_pair(study, "test_leavers", "Left in the test period", churn.promised(study, best), left, tested),
        _model("test_spend_promised", "Spend in the test period, forecast", "money", spend.loc["Model", "total"]),
        _model("test_spend_realised", "Spend in the test period, what happened", "money",
               spend.loc["What happened", "total"]),
        *_scores(study),
    ]  # fmt: skip


def _scores(study: Study) -> list[Number]:
    """What the scores said whose horizon ended last, and what became of it; none without such scores."""
    runs = told_runs(study)
    if runs.empty:
        return []
    last = runs.iloc[0]
    sums = (float(last[name]) for name in ("said", "happened", "customers"))
    promised, realised = _pair(study, "scores", "Left of those scored", *sums)
    within = None if realised.value is None else float(last["low"] <= last["happened"] <= last["high"])
    return [
        promised,
        realised,
        _model("scores_kept", "Scores kept their promise within chance (1: yes)", "count", within),
    ]


def _pair(study: Study, name: str, label: str, said: float, happened: float, of: float) -> tuple[Number, Number]:
    """Promised and realised, as shares of those of whom it was said; without values where few left or stayed."""
    few = min(happened, of - happened) < study.dataset.privacy.minimum_cell
    said, happened = (float("nan"),) * 2 if few else (said / of, happened / of)
    return (
        _model(f"{name}_promised", f"{label}, promised", "share", said),
        _model(f"{name}_realised", f"{label}, what happened", "share", happened),
    )


def _model(
    name: str, label: str, unit: str, value: float | None, low: float | None = None, high: float | None = None,
    more_is_better: bool | None = None,
) -> Number:  # fmt: skip
    return Number(
        name=name, label=label, group="models", unit=unit, value=value, low=low, high=high,  # type: ignore[arg-type]
        more_is_better=more_is_better,
    )  # fmt: skip


def _programme(study: Study) -> list[Number]:
    """What points will cost; nothing where there are none, or nobody knows."""
    if not points_worth.has_liability(study) or not points_worth.has_cost(study):
        return []
    owed = points_worth.liability(study)
    nearer = owed[owed["method"] == points_numbers.about(study)["trusted"]].iloc[0]
    note = points_numbers.note(study)
    least = ", at least" if nearer["bound"] else ""
    label = f"Cost of points still to be redeemed{least}{f' ({note})' if note else ''}"
    return [
        Number(name="points_liability", label=label, group="programme", unit="money", value=nearer["money"],
               low=nearer["money_low"], high=nearer["money_high"])
    ]  # fmt: skip


def _health(study: Study) -> list[Number]:
    """What the log holds, and what was found wrong with it."""
    facts, findings = study.facts()["log"], study.findings()
    counted = {name: sum(one["severity"] == name for one in findings) for name in FOUND}
    late = (study.as_of - study.known_until).days
    return [
        Number(name="lines", label="Lines of the log", group="health", unit="lines", value=facts["lines"]),
        Number(name="set_aside", label="Lines that could not be used", group="health", unit="lines",
               value=facts["quarantined"], more_is_better=False),
        *(Number(name=f"findings_{name}", label=FOUND[name], group="health", unit="count", value=number,
                 more_is_better=None if name == "note" else False) for name, number in counted.items()),
        Number(name="days_late", label="Days that the log was late", group="health", unit="days", value=late,
               more_is_better=False),
    ]  # fmt: skip
