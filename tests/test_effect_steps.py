"""What campaigns changed: a simulated retailer of whom the truth is known, and a log without campaigns."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty.effects import DAYS
from loyalty.programme import held_out
from loyalty.programme.effect import Effect
from loyalty.programme.observational import Observed
from loyalty.programme.profit_and_loss import ProfitAndLoss
from loyalty.programme.registry import Registration, register
from loyalty.sources.simulator import Simulation, simulate
from loyalty.study import Study

pytestmark = pytest.mark.slow

RETAILER = Simulation(
    customers=1500, days=400, seed=5, lift=1.0, dropout="none", alpha=20.0, acquisition_days=90, campaign_every=70
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the retailer."""
    made = tmp_path_factory.mktemp("caused")
    (made / "notebooks").mkdir()
    (made / "data").mkdir()
    simulate(RETAILER, "shop", made)
    return made


@pytest.fixture(scope="module")
def study(root: Path) -> Study:
    return Study.open("shop", root=root)


@pytest.fixture(scope="module")
def truth(root: Path) -> pd.DataFrame:
    """What a contact was to add on average, by campaign: expected spend of the treated, net of coupons."""
    told = pd.read_parquet(root / "data/raw/shop-truth/campaigns.parquet")
    return told.assign(campaign=told["campaign"].astype(str)).set_index("campaign")


def test_where_chance_decided_the_intervals_hold_the_truth(study: Study, truth: pd.DataFrame) -> None:
    read = {each["campaign"]: Effect.from_dict(each["effects"]["spend"]) for each in study.effects()["randomised"]}
    assert set(read) == set(truth.index[truth["design"] == "randomised"])
    inside = [effect.found.holds(truth.loc[name, "expected_spend"]) for name, effect in read.items()]
    # 90 % intervals: of three, at most one may miss.
    assert sum(inside) >= len(inside) - 1
    largest = max(read.values(), key=lambda effect: effect.found.estimate)
    assert largest.clear


def test_the_campaign_that_is_not_over_says_so(study: Study) -> None:
    assert {each["running"] for each in study.effects()["randomised"]} == {True, False}
    for each in study.effects()["randomised"]:
        over = (pd.Timestamp(study.known_until) - pd.Timestamp(each["start"])).days >= DAYS
        assert each["running"] is not over
        notes = " ".join(each["effects"]["spend"]["notes"])
        assert ("still runs" in notes) is each["running"]


def test_sums_of_those_drawn_are_those_of_the_log(study: Study, root: Path) -> None:
    drawn = held_out.campaigns(study.data.offers, study.known_until)
    name, start = str(drawn.index[0]), pd.Timestamp(drawn["start"].iloc[0])
    people = held_out.participants(
        study.data.tables, study.data.offers, name, start.date(), as_of=study.known_until, days=28, covariate="spend_84"
    )
    days = study.data.tables.days.to_pandas()
    back = study.data.tables.returns.to_pandas()
    moved = pd.concat([days, back])
    moved["at"] = (pd.to_datetime(moved["day"]) - start).dt.days
    for column, low, high in (("spend", 0, 28), ("spend before", -28, 0), ("spend_84", -84, 0), ("week_1", 7, 14)):
        by_hand = moved[moved["at"].between(low, high - 1)].groupby("customer")["spend"].sum()
        expected = people["customer"].map(by_hand).fillna(0.0)
        np.testing.assert_allclose(people[column], expected, atol=1e-6)
    contacts = pd.read_parquet(root / "data/raw/shop/contacts.parquet")
    mine = contacts[contacts["campaign"].astype(str) == name].drop_duplicates("customer")
    assert len(people) == len(mine)
    assert (people["arm"] == "control").sum() == (mine["group"] != "treated").sum()


def test_chosen_customers_are_compared_apart_from_drawn_ones(study: Study, truth: pd.DataFrame) -> None:
    told = study.effects()
    targeted = set(truth.index[truth["design"] == "targeted"])
    assert told["about"]["targeted"] == len(targeted)
    for each in told["observed"]:
        assert set(each["compared"]) <= targeted
        found = Observed.from_dict(each["observed"])
        if found.effect.identified and found.effect.raw is not None:
            # Recent buyers were chosen: they spend more with or without the campaign.
            assert found.effect.raw.estimate > found.effect.found.high


def test_the_account_holds_what_points_cost(study: Study) -> None:
    rules = study.dataset.programme.points
    assert rules is not None
    assert rules.cost_per_point is not None
    told = [ProfitAndLoss.from_dict(each) for each in study.effects()["accounts"]]
    identified = [each for each in told if each.sales is not None]
    assert identified
    for each in identified:
        assert each.sales is not None
        assert each.costs.points == pytest.approx(max(0.0, each.sales) * rules.per_unit * rules.cost_per_point)
        assert each.missing == ()
        assert each.profit is not None


def test_what_is_kept_survives_json(study: Study) -> None:
    assert json.loads(json.dumps(study.effects()["randomised"])) == study.effects()["randomised"]


def test_a_registered_read_out_is_obeyed(study: Study, root: Path) -> None:
    each = study.effects()["randomised"][0]
    said = Registration(
        campaign=each["campaign"], metric="repurchase", starts=each["start"], days=28, customers=100, hold_out=0.2,
        minimum_effect=0.01, covariate="purchase_days_28", registered_on=study.first_day,
    )  # fmt: skip
    path = register(said, study.name, root)
    try:
        (read,) = [one for one in study.effects()["randomised"] if one["campaign"] == each["campaign"]]
    finally:
        path.unlink()
    assert list(read["effects"]) == ["repurchase"]
    assert read["days"] == 28
    assert read["registered_on"] == study.first_day.isoformat()
    assert any("Read as registered" in note for note in read["effects"]["repurchase"]["notes"])


def test_without_campaigns_there_is_nothing(simulated: Study) -> None:
    told = simulated.effects()
    assert not told["about"]["known"]
    assert told["randomised"] == told["observed"] == told["accounts"] == []
    assert told["responders"] is None
    assert told["members"]["effects"] is None
