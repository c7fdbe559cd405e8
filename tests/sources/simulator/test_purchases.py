"""When customers buy: the parameters that went in come out."""

import pandas as pd
import pytest
from loyalty.errors import SettingsError
from loyalty.models.bgnbd import BGNBD
from loyalty.models.gamma_gamma import GammaGamma
from loyalty.sources.simulator import Simulation, simulate_frames
from loyalty.sources.simulator.purchases import draw_base
from loyalty.sources.simulator.season import Season

TEXTBOOK = {"regularity": (1,), "season": 0, "plain": True}
"""Poisson purchases, the same in every week."""


def histories(settings):
    """Histories in continuous time, as the model has them: no two purchases of a day are made one."""
    base = draw_base(settings, Season(settings), 0)
    orders = pd.Series(base.purchases.clock).groupby(base.purchases.customer)
    first, last = orders.min(), orders.max()
    return pd.DataFrame({"frequency": orders.size() - 1, "recency": last - first, "T": settings.days - first})


def test_bgnbd_finds_the_parameters():
    settings = Simulation(**TEXTBOOK, r=1.0, alpha=30.0, a=0.8, b=6.0)
    model = BGNBD().fit(histories(settings))
    off = (model.params_ - pd.Series({"r": 1.0, "alpha": 30.0, "a": 0.8, "b": 6.0})) / model.standard_errors_
    assert off.abs().max() < 3


def test_gamma_gamma_finds_the_mean_and_order_values_do_not_depend_on_how_many():
    lines = simulate_frames(Simulation(customers=5_000, **TEXTBOOK))["transactions"]
    orders = lines.groupby(["customer", "receipt"])["amount"].sum().groupby("customer").agg(["size", "mean"])
    frame = pd.DataFrame({"frequency": orders["size"], "monetary_value": orders["mean"]})
    model = GammaGamma().fit(frame)
    off = (model.params_ - pd.Series({"p": 4.0, "q": 4.0, "v": 30.0})) / model.standard_errors_
    assert off.abs().max() < 3.5


def test_gaps_have_the_regularity_asked_for():
    """The coefficient of variation of an Erlang-k is 1 / sqrt(k)."""
    settings = Simulation(regularity=(4,), dropout="none", alpha=10, founders=1)
    bought = draw_base(settings, Season(settings), 0).purchases
    gaps = pd.Series(bought.clock).groupby(bought.customer).diff().dropna()
    # One customer's gaps at a time, and only of those with many, of whom the end of the log cuts off little.
    each = gaps.groupby(bought.customer[gaps.index]).agg(["size", "mean", "std"]).query("size > 60")
    assert (each["std"] / each["mean"]).mean() == pytest.approx(0.5, abs=0.02)


def test_days_follow_the_season(shop):
    """Counts over factor are level: chi-square over weekdays and months of mature days, without returns."""
    lines, season = shop["transactions"], shop["truth_season"]
    orders = lines[lines["amount"] > 0].drop_duplicates("receipt")
    count = orders.groupby(orders["time"].dt.normalize()).size().rename("orders")
    days = season.assign(day=pd.to_datetime(season["day"])).set_index("day").join(count, how="inner")
    by_weekday = days.groupby(days.index.day_of_week).sum()
    level = by_weekday["orders"] / by_weekday["factor"]
    assert level.max() / level.min() < 1.1
    assert by_weekday["orders"].max() / by_weekday["orders"].min() > 1.8
    december, november = (days.loc[f"2024-{month}"].sum() for month in ("12", "11"))
    rise = december / november
    assert rise["orders"] == pytest.approx(rise["factor"], rel=0.05)


def test_those_who_left_buy_nothing_later_unless_they_bring_back(shop):
    lines = shop["transactions"].query("amount > 0")
    last = lines.groupby("customer")["time"].max().dt.normalize()
    truth = shop["truth_customers"].set_index("customer")
    left = pd.to_datetime(truth.loc[~truth["alive"], "left"])
    assert len(left) > 2_000
    assert (last[left.index] <= left).all()
    assert (truth.loc[~truth["alive"], "expected_next_orders"] == 0).all()
    assert (truth.loc[truth["alive"], "expected_next_orders"] > 0).all()


@pytest.mark.parametrize("wanted", [4.0, 10.0, 25.0])
def test_lines_per_customer(wanted):
    lines = simulate_frames(Simulation(customers=10_000, plain=True, lines_per_customer=wanted))["transactions"]
    # A product that is drawn twice into a basket counts once.
    assert len(lines) / 10_000 == pytest.approx(wanted, rel=0.04)


def test_more_lines_than_customers_live_for():
    with pytest.raises(SettingsError, match="lines_per_customer: customers leave before they have bought 500 lines"):
        simulate_frames(Simulation(lines_per_customer=500, a=5, b=5))


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"customers": 0}, r"customers: expected greater than or equal to 1, found 0"),
        ({"dropout": "sometimes"}, r"dropout: expected 'geometric', 'exponential' or 'none', found 'sometimes'"),
        ({"campaign_every": 20}, r"campaign_every of 0, or at least 43 days"),
        ({"acquisition_days": 900}, r"acquisition_days no longer than days"),
        ({"lines_per_customer": 2}, r"lines_per_customer above lines_per_order"),
        ({"plain": True, "dirt": 0.1}, r"plain without channel_ids and without dirt"),
        ({"q": 1}, r"q: expected greater than 1, found 1"),
    ],
)
def test_settings_that_cannot_be(asked, complaint):
    with pytest.raises(SettingsError, match=complaint):
        Simulation.checked(**asked)
