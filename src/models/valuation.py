"""What customers are worth: value models fitted, everyone's sums from different histories, and naive rules."""

from typing import Any, NamedTuple

import pandas as pd

from ..errors import DataError
from .backtest import fit_and_note
from .base import BTYDModel
from .baselines import rate_so_far
from .clv import customer_lifetime_value, customer_lifetime_value_interval
from .contenders import build
from .gamma_gamma import GammaGamma


class ValueModels(NamedTuple):
    """Purchases and spend, fitted on the same histories."""

    purchases: BTYDModel
    spend: GammaGamma
    notes: list[str]


def fit_value(distinct: pd.DataFrame, known: pd.DataFrame, model: BTYDModel | None = None) -> ValueModels:
    """Fit a model of purchases to everyone's histories and Gamma-Gamma to the spend of repeat buyers.

    Warnings of the fits become `notes`, to be told beside the result.

    Parameters
    ----------
    distinct : frequency, recency, T of everyone, and optionally weight.
    known : frequency, monetary_value; of everyone, or of a sample.
    model : of purchases, not fitted yet; BG/NBD if None.
    """
    spending = paying(known)
    if spending.empty:
        raise DataError(
            "no repeat buyer has paid anything; expected amounts above zero; check which column `amount` names"
        )
    purchases, of_purchases = fit_and_note(model or build(), distinct)
    spend, of_spend = fit_and_note(GammaGamma(), spending)
    return ValueModels(purchases, spend, of_purchases + of_spend)


def paying(known: pd.DataFrame) -> pd.DataFrame:
    """Histories of the repeat buyers who paid something, from which spend is learned."""
    return known[(known["frequency"] > 0) & (known["monetary_value"] > 0)]


def value(
    models: ValueModels,
    known: pd.DataFrame,
    distinct: pd.DataFrame,
    *,
    horizon_days: int,
    margin: float,
    annual_discount_rate: float,
    draws: int = 300,
    seed: int = 7,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Expected purchases, spend and CLV of each customer over the horizon, and of all together.

    The sums are those of everyone, sampled or not. Their intervals are those of the customers in `known`, stretched to
    everyone: with a sample, chance counts in them as among so few customers, which makes them rather too wide.

    Parameters
    ----------
    models : fitted.
    known : histories with monetary_value, one row a customer; of everyone, or of a sample.
    distinct : as in `expected_of_all`.
    horizon_days, margin, annual_discount_rate : as in `clv.customer_lifetime_value`.
    draws, seed : as in `clv.customer_lifetime_value_interval`.

    Returns
    -------
    customers : index of `known`; probability_alive, and expected_purchases, expected_spend, clv, each with
        `_low` and `_high` of the 90 % predictive interval.
    totals : the same sums over everyone, each with the interval of the sum.
    """
    earning = {"horizon_days": horizon_days, "margin": margin, "annual_discount_rate": annual_discount_rate}
    lived = paying_something(known)
    each = expected(models, lived, earning)
    interval = customer_lifetime_value_interval(
        models.purchases, models.spend, lived, **earning, draws=draws, seed=seed
    )
    customers = each.join(interval.customers).assign(probability_alive=models.purchases.probability_alive(lived))
    totals = expected_of_all(models, distinct, earning)
    stretched = interval.total.mul(pd.Series(totals) / each.sum(), axis="index")
    for side in ("low", "high"):
        totals |= {f"{name}_{side}": float(edge) for name, edge in stretched[side].items()}
    return customers, totals


def expected(models: ValueModels, known: pd.DataFrame, earning: dict[str, Any]) -> pd.DataFrame:
    """Expected purchases, spend and CLV of each row of histories, see `clv.customer_lifetime_value`."""
    return customer_lifetime_value(models.purchases, models.spend, paying_something(known), **earning)


def expected_of_all(models: ValueModels, distinct: pd.DataFrame, earning: dict[str, Any]) -> dict[str, float]:
    """The sums of `expected` over everyone.

    They are exact, for the spend that Gamma-Gamma expects of customers with the same frequency is linear in what each
    has spent so far.

    Parameters
    ----------
    models, earning : as in `expected`.
    distinct : different histories: frequency, recency, T, weight, monetary_value (the mean of those who share it).
    """
    return {name: float(total) for name, total in (distinct["weight"] @ expected(models, distinct, earning)).items()}


def base(
    models: ValueModels, distinct: pd.DataFrame, earning: dict[str, Any], active_within_days: int
) -> dict[str, float]:
    """What a page tells of everyone.

    Returns
    -------
    customers : how many have ever bought.
    repeat_buyers : how many of them more than once.
    repeat_buyers_alive : how many of those are expected to be customers still.
    active_spend : what active customers are expected to spend, money.
    """
    weight, again = distinct["weight"], distinct["frequency"] > 0
    active = distinct[distinct["T"] - distinct["recency"] <= active_within_days]
    return {
        "customers": int(weight.sum()),
        "repeat_buyers": int(weight[again].sum()),
        "repeat_buyers_alive": float(weight[again] @ models.purchases.probability_alive(distinct[again])),
        "active_spend": expected_of_all(models, active, earning)["expected_spend"],
    }


def naive_value(histories: pd.DataFrame, last: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """What each customer buys and spends by two naive rules.

    Parameters
    ----------
    histories : index customer.
    last : index customer; purchases and spend in the horizon before the date.
    horizon_days : length of the horizon.

    Returns
    -------
    Index of `histories`; rate_purchases and rate_spend if everyone goes on at the rate so far, last_purchases and
    last_spend if everyone does the same as in the last horizon.
    """
    purchases = rate_so_far(histories, horizon_days)
    again = last.reindex(histories.index, fill_value=0)
    return pd.DataFrame(
        {
            "rate_purchases": purchases,
            "rate_spend": purchases * histories["monetary_value"].fillna(0.0),
            "last_purchases": again["purchases"],
            "last_spend": again["spend"],
        },
        index=histories.index,
    )


def naive_of_all(distinct: pd.DataFrame, last: dict[str, float], horizon_days: int) -> dict[str, float]:
    """The sums of `naive_value` over everyone.

    Parameters
    ----------
    distinct : as in `expected_of_all`.
    last : purchases and spend of everyone in the horizon before the date.
    horizon_days : length of the horizon.
    """
    purchases = distinct["weight"] * rate_so_far(distinct, horizon_days)
    return {
        "rate_purchases": float(purchases.sum()),
        "rate_spend": float(purchases @ distinct["monetary_value"].fillna(0.0)),
        "last_purchases": last["purchases"],
        "last_spend": last["spend"],
    }


def paying_something(histories: pd.DataFrame) -> pd.DataFrame:
    """Histories as Gamma-Gamma accepts them.

    It knows no free purchases: who got all repeats for nothing counts as having paid a cent for each.
    """
    return histories.assign(monetary_value=histories["monetary_value"].clip(lower=0.01))
