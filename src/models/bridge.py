"""From the value that was told at one date to that of a later one, step by step, so that the steps add up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .base import BTYDModel
from .clv import customer_lifetime_value
from .contenders import known, regularity
from .gamma_gamma import GammaGamma
from .validation import FloatArray
from .valuation import paying_something

STEPS = ("corrections", "lost", "behaviour", "spend", "new", "assumptions", "refit")
"""In the order in which they are taken."""

NEGLIGIBLE = 1e-6
"""Share of the value within which two ways to add it up agree."""


class Valuer(NamedTuple):
    """What turns histories into value.

    Attributes
    ----------
    purchases, spend : models with parameters.
    earning : horizon_days, margin, annual_discount_rate.
    """

    purchases: BTYDModel
    spend: GammaGamma
    earning: Mapping[str, Any]

    def packed(self, name: str) -> dict[str, Any]:
        """All of it as plain values, for JSON; `name` is that of the model of purchases in `contenders`."""
        return {
            "model": name,
            "k": regularity(self.purchases),
            "purchases": {key: float(value) for key, value in self.purchases.params_.items()},
            "spend": {key: float(value) for key, value in self.spend.params_.items()},
            "earning": dict(self.earning),
        }

    @classmethod
    def unpacked(cls, said: Mapping[str, Any]) -> Valuer:
        """What `packed` made plain.

        Raises
        ------
        KeyError, SettingsError
            If the model is none that is known, or the parameters are not its own.
        """
        purchases = known(said["model"], said["purchases"], said["k"])
        return cls(purchases, GammaGamma().with_parameters(said["spend"]), dict(said["earning"]))

    def purchases_worth(self, histories: pd.DataFrame) -> FloatArray:
        """Margin of the discounted purchases to come, for each unit of money that one purchase is worth."""
        if histories.empty:
            return np.zeros(0)
        discounted = self.purchases.discounted_expected_purchases(
            histories,
            horizon_days=self.earning["horizon_days"],
            annual_discount_rate=self.earning["annual_discount_rate"],
        )
        return np.asarray(discounted * self.earning["margin"])

    def purchase(self, histories: pd.DataFrame) -> FloatArray:
        """Money that each expected purchase is worth."""
        if histories.empty:
            return np.zeros(0)
        return np.asarray(self.spend.expected_spend(paying_something(histories)))

    def total(self, histories: pd.DataFrame, weight: pd.Series) -> float:
        """Value of all, each row counted `weight` times; the same as that of `clv.customer_lifetime_value`."""
        each = customer_lifetime_value(self.purchases, self.spend, paying_something(histories), **self.earning)
        return float(weight.to_numpy("float64") @ each["clv"].to_numpy("float64"))


def walk(old: Valuer, said: float, now: float, pairs: pd.DataFrame, earning: Mapping[str, Any]) -> pd.DataFrame:
    r"""Split the change of a value into steps that add up to the cent.

    The value of a customer is :math:`s \cdot D`: what a purchase is worth, times the discounted margin of the
    purchases to come. Steps are taken in this order, each from where the one before ended; in another order the shares
    would differ:

    1. `corrections`: the old models on the log as it is told today, cut off at the old date, less what was said then.
       Lines that came late, were taken back or corrected, customers who were erased. Where the code is another since,
       what that changes is here too.
    2. `lost`: customers who were active at the old date and are not at the new one: :math:`s_0 (D_1 - D_0)`.
    3. `behaviour`: all others who were known before, the same expression: they bought, or time went by.
    4. `spend`: all who were known before, :math:`(s_1 - s_0) D_1`: their purchases are worth more or less than then.
    5. `new`: customers who first bought between the dates, by the old models: :math:`s_1 D_1`.
    6. `assumptions`: another margin or discount rate, still by the old models.
    7. `refit`: the new models on the same histories.

    Parameters
    ----------
    old : the models of the earlier run.
    said : value that it told, money.
    now : value that is told today, money.
    pairs : different histories of customers at both dates: frequency, recency, T, monetary_value and active today; the
        same with `_before` at the old date, null for customers who had not bought yet; weight, how many share the row.
        monetary_value is the mean of those who share the row: what is expected of a purchase is linear in it.
    earning : margin, annual_discount_rate and horizon_days of today.

    Returns
    -------
    Index step, of `STEPS`; customers (whom it is about), cents (of a unit of money, whole: what the step adds), and
    after (cents, the value when it is taken). `after` of the last row less `cents` of all rows is the value told.
    """
    came = pairs["frequency_before"].isna().to_numpy()
    lost = ~came & (pairs["active_before"].eq(True) & ~pairs["active"]).to_numpy()
    stayed = ~came & ~lost
    weight = pairs["weight"].to_numpy("float64")
    today, earlier = _histories(pairs, ""), _histories(pairs[~came], "_before")
    worth_now, price_now = old.purchases_worth(today), old.purchase(today)
    worth, price = np.zeros(len(pairs)), np.zeros(len(pairs))
    worth[~came], price[~came] = old.purchases_worth(earlier), old.purchase(earlier)
    acted = weight * price * (worth_now - worth)
    corrected = _agreed(float(weight @ (price * worth)), said)
    changes = {
        "corrections": corrected - said,
        "lost": float(acted[lost].sum()),
        "behaviour": float(acted[stayed].sum()),
        "spend": float((weight * (price_now - price) * worth_now)[~came].sum()),
        "new": float((weight * price_now * worth_now)[came].sum()),
    }
    if dict(earning) != dict(old.earning):
        other = old._replace(earning=earning).purchases_worth(today)
        changes["assumptions"] = float(weight @ (price_now * (other - worth_now)))
    known_before, everyone = float(weight[~came].sum()), float(weight.sum())
    customers = {
        "corrections": known_before, "lost": weight[lost].sum(), "behaviour": weight[stayed].sum(),
        "spend": known_before, "new": weight[came].sum(), "assumptions": everyone, "refit": everyone,
    }  # fmt: skip
    return _in_cents(said, now, changes, customers)


def _histories(pairs: pd.DataFrame, suffix: str) -> pd.DataFrame:
    names = ("frequency", "recency", "T", "monetary_value")
    return pd.DataFrame({name: pairs[f"{name}{suffix}"].astype("float64") for name in names})


def _agreed(added: float, said: float) -> float:
    """The value as it was said, where it differs only by the order in which it was added up."""
    return said if abs(added - said) <= max(0.01, NEGLIGIBLE * abs(said)) else added


def _in_cents(said: float, now: float, changes: Mapping[str, float], customers: Mapping[str, float]) -> pd.DataFrame:
    """Steps in whole cents: differences of rounded totals, so that nothing is left over."""
    running = np.cumsum([said, *(changes.get(step, 0.0) for step in STEPS[:-1])])
    after = [round(100 * float(total)) for total in (*running, now)]
    rows = {
        step: (round(customers[step]), later - earlier, later)
        for step, (earlier, later) in zip(STEPS, pairwise(after), strict=True)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["customers", "cents", "after"]).rename_axis("step")
