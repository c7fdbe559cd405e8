"""The steps of a study that say what customers are worth."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import purchases, sampled
from .models import valuation

if TYPE_CHECKING:
    from .study import Study


def value(study: "Study") -> dict[str, Any]:
    """What customers are worth now.

    Returns
    -------
    customers : see `models.valuation.value`, with their histories; of everyone, or of a sample.
    totals : see `models.valuation.value` and `models.valuation.base`; of everyone.
    parameters, spend_parameters : estimates with standard errors.
    sentence, correlation, notes : of the fits, in words and as a number.
    What `purchases.portrait` returns.
    """
    known, distinct = study.histories(), study.distinct_histories()
    models = valuation.fit_value(distinct, known, purchases.model_in_use(study))
    customers, totals = valuation.value(models, known, distinct, **study.earning())
    return {
        "customers": known.join(customers),
        "totals": totals | valuation.base(models, distinct, study.earning(), study.active_within_days),
        "parameters": models.purchases.summary(),
        "spend_parameters": models.spend.summary(),
        "sentence": models.purchases.describe(),
        "correlation": float(models.spend.correlation_),
        "notes": models.notes,
    } | purchases.portrait(models, distinct, study.horizon_days)


def value_holdout(study: "Study") -> dict[str, Any]:
    """The value models of one horizon ago against what happened since, and against naive rules.

    Returns
    -------
    customers : as in `value`, with the columns of `models.valuation.naive_value`, and what happened: purchases, spend.
    totals : as in `models.valuation.value`; customers, their number; and the sums of the other columns over everyone.
    """
    day, before = study.origin(1), study.origin(2)
    tables = sampled.known_tables(study, day)
    known, distinct = sampled.known(tables, day), study.distinct_histories(day)
    models = valuation.fit_value(distinct, known, purchases.model_in_use(study))
    customers, totals = valuation.value(models, known, distinct, **study.earning())
    happened = sampled.spent(study, tables, day, day).reindex(known.index, fill_value=0)
    naive = valuation.naive_value(known, sampled.spent(study, tables, before, day), study.horizon_days)
    return {
        "customers": known.join([customers, naive, happened]),
        "totals": {"customers": int(distinct["weight"].sum())} | totals | _happened_and_naive(study, day),
    }


def value_backtest(study: "Study") -> pd.DataFrame:
    """Spend of all customers forecast at each past date.

    Returns
    -------
    day, actual (money spent in the horizon after it), model, and by naive rules rate and last.
    """
    rows = []
    for day in study.origins():
        distinct = study.distinct_histories(day)
        models = valuation.fit_value(distinct, study.histories(day), purchases.model_in_use(study))
        sums = _happened_and_naive(study, day)
        rows.append(
            {
                "day": pd.Timestamp(day),
                "actual": sums["spend"],
                "model": valuation.expected_of_all(models, distinct, study.earning())["expected_spend"],
                "rate": sums["rate_spend"],
                "last": sums["last_spend"],
            }
        )
    return pd.DataFrame(rows)


def _happened_and_naive(study: "Study", day: date) -> dict[str, float]:
    """What everyone known at a past date did next, and what two naive rules expected of them."""
    last = sampled.spent_by_all(study, day - timedelta(days=study.horizon_days), day)
    naive = valuation.naive_of_all(study.distinct_histories(day), last, study.horizon_days)
    return sampled.spent_by_all(study, day, day) | naive
