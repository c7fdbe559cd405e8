"""The step of a study that compares models of purchases, and what the one in use says of customers in general."""

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .features import holdout
from .features.histories import histories
from .models import btyd_contest, tracking
from .models import portrait as portraits
from .models.base import BTYDModel
from .models.btyd_contest import BTYDContest
from .models.contenders import REFERENCE, build, regularity
from .models.groups import conditional, weighted_quantile
from .models.valuation import ValueModels, paying_something
from .models.worth import future_spend

if TYPE_CHECKING:
    from .study import Study

FREQUENCIES = (0, 1, 2, 5, 10, 20, 50, np.inf)
SILENCES = (0, 7, 28, 91, 182, 364, np.inf)

DRAWS = 100
"""Of the parameters, for the band around the curve of a new customer."""

POINTS = 61
"""Days at which that curve is computed."""


def contest(study: "Study") -> dict[str, Any]:
    """Models of purchases fitted at the oldest past date, and held against all that happened since.

    The oldest date leaves the longest time to be wrong in; a model that is chosen there has seen nothing of what the
    later test of the forecast holds against it but through this choice.

    Returns
    -------
    table : see `models.btyd_contest.compare`.
    by_frequency, by_silence : purchases after the date by repeat purchases and by days since the last one, see
        `models.groups.conditional`.
    weeks : actual and expected repeat purchases by the model in use, see `models.tracking.track`.
    counts : customers by number of repeat purchases until the date, see `models.tracking.by_count`.
    new_customer : index days; expected repeat purchases of a new customer by each model; low, high of that in use.
    about : calibrated (ISO date), period_days, customers (who had bought by then), oldest_days (the longest that one of
        them was known), purchases (of theirs after it), newcomers (customers, purchases: of those who came after it),
        chosen (the model that describes this base best), used (the one that forecasts rest on) with its regularity
        (null where it has none), sentences and notes of each model.
    """
    day = study.origins()[-1]
    period = (study.known_until - day).days
    days = study.data.tables.days
    cells = holdout.held_out(histories(study.data.tables, day), days, day, period).to_pandas()
    found = btyd_contest.contest(cells, period)
    used = found.chosen if btyd_contest.clearly_better(found.table, found.chosen) else REFERENCE
    model = found.models[used]
    return {
        "table": found.table,
        "by_frequency": conditional(cells, found.expected, cells["frequency"], FREQUENCIES),
        "by_silence": conditional(cells, found.expected, cells["T"] - cells["recency"], SILENCES),
        "weeks": _weeks(study, model, day),
        "counts": tracking.by_count(model, cells),
        "new_customer": _new_customer(found, model, 2 * int(cells["T"].max())),
        "about": _about(found, used, cells)
        | {
            "calibrated": day.isoformat(),
            "period_days": period,
            "newcomers": holdout.newcomers(days, day, period).to_pandas().iloc[0].to_dict(),
        },
    }


def model_in_use(study: "Study") -> BTYDModel:
    """The model of purchases that forecasts rest on, not fitted yet."""
    about = study.purchase_models()["about"]
    return build(about["used"], about["regularity"])


def portrait(models: ValueModels, distinct: pd.DataFrame, horizon_days: int) -> dict[str, Any]:
    """What the models say of customers in general.

    Parameters
    ----------
    models : fitted to everyone known.
    distinct : different histories: frequency, recency, T, weight, monetary_value.
    horizon_days : for which purchases are expected.

    Returns
    -------
    rates, leaving : how customers differ, see `models.portrait`; without `leaving` where nobody leaves.
    grid : see `models.portrait.history_grid`, of customers as old as the oldest quarter at least.
    story : see `models.portrait.alive_history`, of an invented customer with a usual gap.
    ahead : index days; spend, see `models.worth.future_spend`.
    pictured : age_days (of the grid), purchases (of the story, days), by_purchase (whether customers leave after a
        purchase rather than at any time).
    """
    again = distinct[distinct["frequency"] > 0]
    weight = again["weight"]
    age = max(1, round(weighted_quantile(again["T"], weight, 0.75)))
    most = max(3, round(weighted_quantile(again["frequency"], weight, 0.95)))
    gap = weighted_quantile(again["recency"] / again["frequency"], weight, 0.5)
    bought, until = portraits.invented_customer(gap)
    leaving = portraits.leaving(models.purchases, seed=7)
    spread = {} if leaving is None else {"leaving": leaving}
    return spread | {
        "rates": portraits.rates(models.purchases, seed=7),
        "grid": portraits.history_grid(models.purchases, age, most, horizon_days),
        "story": portraits.alive_history(models.purchases, bought, until),
        "ahead": future_spend(models.purchases, models.spend, paying_something(distinct), horizon_days).to_frame(),
        "pictured": {
            "age_days": age,
            "purchases": bought,
            "by_purchase": portraits.leaves_by_purchase(models.purchases),
        },
    }


def _weeks(study: "Study", model: BTYDModel, day: date) -> pd.DataFrame:
    days = study.data.tables.days
    starts = holdout.starts(days, day).to_pandas()
    weeks = holdout.repeats(days, day, study.known_until).to_pandas()
    return tracking.track(model, starts, weeks, day, study.known_until, seed=7)


def _new_customer(found: BTYDContest, model: BTYDModel, until: int) -> pd.DataFrame:
    ages = np.linspace(0, until, POINTS)
    curves = {name: model.expected_purchases_of_new_customer(ages) for name, model in found.models.items()}
    drawn = [
        model.with_parameters(row).expected_purchases_of_new_customer(ages)
        for _, row in model.sample_parameters(DRAWS, 7).iterrows()
    ]
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    return pd.DataFrame(curves | {"low": low, "high": high}, index=pd.Index(ages, name="days"))


def _about(found: BTYDContest, used: str, cells: pd.DataFrame) -> dict[str, Any]:
    weight = cells["weight"]
    return {
        "customers": int(weight.sum()),
        "oldest_days": int(cells["T"].max()),
        "purchases": int(weight @ cells["purchases"]),
        "chosen": found.chosen,
        "used": used,
        "regularity": regularity(found.models[used]),
        "sentences": {name: model.describe() for name, model in found.models.items()},
        "notes": found.notes,
    }
