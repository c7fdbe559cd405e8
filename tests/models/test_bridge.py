"""The bridge between two values adds up to the cent, and each step is what it says."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import SettingsError
from loyalty.models.bridge import STEPS, Valuer, walk
from loyalty.models.contenders import known
from loyalty.models.gamma_gamma import GammaGamma

EARNING = {"horizon_days": 28, "margin": 0.3, "annual_discount_rate": 0.1}
LATER = 30
ACTIVE = 60


def a_valuer(rate: float = 1.0, price: float = 1.0, **earning: float) -> Valuer:
    purchases = known("BG/NBD", {"r": 0.5 * rate, "alpha": 10.0, "a": 0.8, "b": 2.5})
    return Valuer(purchases, GammaGamma().with_parameters({"p": 6.0, "q": 4.0, "v": 15.0 * price}), EARNING | earning)


def customers(number: int, seed: int) -> pd.DataFrame:
    """One row a customer, before and `LATER` days after; about a fifth come in between."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for _ in range(number):
        first = random.integers(-LATER + 1, 200)  # days before the old date; less than one: came after it
        days = np.unique(np.r_[0, random.integers(0, first + LATER, random.integers(0, 9))])
        money = random.integers(1, 4000, len(days)) / 100
        row: dict[str, Any] = {"weight": 1.0}
        for suffix, until in (("_before", first), ("", first + LATER)):
            own = days[days < until]
            seen = len(own) > 0
            row |= {
                f"frequency{suffix}": len(own) - 1 if seen else np.nan,
                f"recency{suffix}": own[-1] if seen else np.nan,
                f"T{suffix}": until if seen else np.nan,
                f"monetary_value{suffix}": money[1 : len(own)].mean() if len(own) > 1 else np.nan,
            }
            row[f"active{suffix}"] = seen and until - own[-1] <= ACTIVE
        rows.append(row)
    return pd.DataFrame(rows)


def by_hand(valuer: Valuer, frame: pd.DataFrame, suffix: str = "") -> float:
    """Value of all by the public way, one customer a row."""
    names = ("frequency", "recency", "T", "monetary_value")
    own = pd.DataFrame({name: frame[f"{name}{suffix}"] for name in names}).dropna(subset=["frequency"])
    return valuer.total(own, pd.Series(1.0, index=own.index))


@given(
    number=st.integers(1, 60),
    seed=st.integers(0, 10_000),
    rate=st.floats(0.5, 2.0),
    price=st.floats(0.5, 2.0),
    said=st.floats(0, 1e6),
    margin=st.floats(0.05, 0.9),
)
def test_the_steps_add_up_to_the_cent(
    number: int, seed: int, rate: float, price: float, said: float, margin: float
) -> None:
    frame = customers(number, seed)
    new = a_valuer(rate, price, margin=margin)
    now = by_hand(new, frame)
    steps = walk(a_valuer(), said, now, frame, new.earning)
    assert list(steps.index) == list(STEPS)
    assert steps["cents"].sum() == round(100 * now) - round(100 * said)
    assert steps["after"].iloc[-1] == round(100 * now)
    assert round(100 * said) + steps["cents"].cumsum().iloc[3] == steps["after"].iloc[3]


def test_each_step_is_what_it_says() -> None:
    old, new, frame = a_valuer(), a_valuer(1.3, 1.1), customers(300, 1)
    came = frame["frequency_before"].isna()
    before, now = by_hand(old, frame, "_before"), by_hand(new, frame)
    steps = walk(old, before + 50, now, frame, EARNING)["cents"] / 100
    assert steps["corrections"] == pytest.approx(-50, abs=0.02)
    assert steps["new"] == pytest.approx(by_hand(old, frame[came]), abs=0.02)
    assert steps["refit"] == pytest.approx(now - by_hand(old, frame), abs=0.02)
    assert steps["assumptions"] == 0
    # Those who were known before, one by one: what a purchase is worth is held while they act.
    lost = behaviour = 0.0
    for _, row in frame[~came].iterrows():
        one = row.to_frame().T
        then, later = by_hand(old, one, "_before"), by_hand(old, one)
        prices = [old.purchase(_one(row, suffix))[0] for suffix in ("_before", "")]
        acted = later * prices[0] / prices[1] - then
        lost, behaviour = (
            (lost + acted, behaviour) if row["active_before"] and not row["active"] else (lost, behaviour + acted)
        )
    assert steps["lost"] == pytest.approx(lost, abs=0.02)
    assert steps["behaviour"] == pytest.approx(behaviour, abs=0.02)
    assert steps["lost"] < 0 < steps["new"]


def _one(row: pd.Series, suffix: str) -> pd.DataFrame:
    names = ("frequency", "recency", "T", "monetary_value")
    return pd.DataFrame({name: [float(row[f"{name}{suffix}"])] for name in names})


def test_nothing_changed_is_nothing() -> None:
    frame = customers(80, 2)
    same = frame[frame["frequency_before"].notna()].copy()
    for name in ("frequency", "recency", "T", "monetary_value", "active"):
        same[name] = same[f"{name}_before"]
    value = by_hand(a_valuer(), same)
    steps = walk(a_valuer(), value * (1 + 1e-9), value, same, EARNING)
    assert steps["cents"].abs().max() <= 1  # cents: the order in which the value was added up
    assert steps["cents"].drop(["corrections", "refit"]).abs().sum() == 0


def test_customers_who_share_a_row_count_as_often() -> None:
    frame = customers(40, 3)
    twice = walk(a_valuer(), 10.0, 20.0, pd.concat([frame, frame], ignore_index=True), EARNING)
    heavy = walk(a_valuer(), 10.0, 20.0, frame.assign(weight=2.0), EARNING)
    pd.testing.assert_frame_equal(twice, heavy)


def test_another_margin_is_a_step_of_its_own() -> None:
    frame = customers(60, 4)
    value = by_hand(a_valuer(), frame)
    steps = walk(a_valuer(), 0.0, 2 * value, frame, EARNING | {"margin": 0.6})
    assert steps.loc["assumptions", "cents"] == pytest.approx(100 * value, abs=2)
    assert steps.loc["refit", "cents"] == pytest.approx(0, abs=2)


@pytest.mark.parametrize(("name", "k"), [("BG/NBD", None), ("MBG/CNBD-k", 2), ("Pareto/NBD", None), ("NBD", None)])
def test_what_a_run_leaves_behind_values_as_the_run_did(name: str, k: int | None) -> None:
    parameters = {
        "NBD": {"r": 0.5, "alpha": 9.0},
        "Pareto/NBD": {"r": 0.5, "alpha": 9.0, "s": 0.6, "beta": 11.0},
    }.get(name, {"r": 0.5, "alpha": 9.0, "a": 0.8, "b": 2.5})
    valuer = a_valuer()._replace(purchases=known(name, parameters, k))
    frame = customers(30, 5)
    assert by_hand(Valuer.unpacked(valuer.packed(name)), frame) == by_hand(valuer, frame)


def test_parameters_of_another_model_are_refused() -> None:
    with pytest.raises(SettingsError, match="parameters: expected"):
        Valuer.unpacked(a_valuer().packed("BG/NBD") | {"model": "NBD"})
