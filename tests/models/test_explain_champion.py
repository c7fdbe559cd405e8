"""The champion's forecasts taken apart, and put together again."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import LoyaltyError
from loyalty.models import explain_champion
from loyalty.models.backtest import Origin
from loyalty.models.champion import Champion
from loyalty.models.explain import grouped
from loyalty.models.explain_champion import of_champion
from loyalty.models.forecaster import Forecaster
from loyalty.reporting.reasons import groups, reasons
from scipy.special import logit


def origin(seed: int, size: int = 500) -> Origin:
    """Customers who buy at random at rates of their own; some leave."""
    random = np.random.default_rng(seed)
    index = pd.Index([f"c{number:04d}" for number in range(size)], name="customer")
    rate, age = random.gamma(1.5, 0.02, size), random.integers(60, 400, size).astype("float64")
    frequency = random.poisson(rate * age).astype("float64")
    recency = np.where(frequency > 0, np.floor(age * random.beta(frequency + 1, 1)), 0.0)
    lived = pd.DataFrame({"frequency": frequency, "recency": recency, "T": age}, index)
    spend = pd.Series(random.gamma(5, 8, size), index).where(frequency > 0)
    features = lived.assign(
        monetary_value=spend,
        days_since_last=age - recency,
        purchase_days_30=random.binomial(frequency.astype("int64"), np.minimum(30 / age, 1)).astype("float64"),
        profile_home=pd.Categorical(random.choice(["town", "country"], size)),
    )
    purchases = pd.Series(random.poisson(30 * rate * np.exp(-(age - recency) / 200)), index)
    amounts = pd.DataFrame({"purchases": purchases, "spend": purchases * spend.fillna(20.0)})
    return Origin(features, lived, purchases == 0, amounts)


@pytest.fixture(scope="module")
def now() -> Origin:
    return origin(9)


@pytest.fixture(scope="module")
def forecaster(now: Origin) -> Forecaster:
    return Champion(horizon_days=30).fit([origin(seed) for seed in range(3)]).at(now)


@pytest.mark.slow
def test_contributions_put_customers_in_the_order_of_the_champion(forecaster: Forecaster, now: Origin) -> None:
    said = of_champion(forecaster, now.features)
    odds = said.sum(axis=1)
    probability = forecaster.forecast(now.features)["churn_probability"]
    assert odds.rank().corr(logit(probability).rank()) == pytest.approx(1, abs=1e-6)
    assert said["base"].std() == pytest.approx(0, abs=1e-5)


@pytest.mark.slow
def test_a_customer_is_explained_alike_alone_and_among_others(forecaster: Forecaster, now: Origin) -> None:
    told: list[tuple[int, int]] = []
    together = of_champion(forecaster, now.features)
    alone = of_champion(forecaster, now.features.iloc[:1], progress=lambda done, of: told.append((done, of)))
    assert np.allclose(alone, together.iloc[:1], atol=1e-5)
    assert told == [(1, 3), (2, 3), (3, 3)]  # once for each kind of trees


@pytest.mark.slow
def test_every_column_of_the_champion_can_be_told(forecaster: Forecaster, now: Origin) -> None:
    said = of_champion(forecaster, now.features)
    assert set(said.columns.drop("base")) == set(groups(said.columns.drop("base")))
    first = reasons(said, now.features)["reason_1"]
    assert first.notna().all()
    assert not first.str.contains("_", regex=False).any()
    assert "Home" in grouped(said, groups(said.columns))


@pytest.mark.slow
def test_parts_that_do_not_add_up_are_an_error(
    forecaster: Forecaster, now: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = explain_champion.of_line
    monkeypatch.setattr(explain_champion, "of_line", lambda *args: right(*args) * 1.01)
    with pytest.raises(LoyaltyError, match="do not add up to the prediction"):
        of_champion(forecaster, now.features)


@pytest.mark.slow
def test_models_alone_are_explained_by_the_rhythm(now: Origin) -> None:
    # Nobody left, and so nothing can be learned.
    past = [origin(seed) for seed in range(2)]
    past = [one._replace(churned=one.churned & False) for one in past if one.churned is not None]
    alone = Champion(horizon_days=30).fit(past).at(now)
    assert alone.learners is None
    said = of_champion(alone, now.features)
    assert set(said.columns) == {"btyd_silence", "steady_silence", "base"}
    assert set(grouped(said, groups(said.columns))) == {"Rhythm and silence", "base"}
