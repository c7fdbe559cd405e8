"""What campaigns changed: a simulated retailer of whom the truth is known, and a log without campaigns."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty import effects, effects_worth
from loyalty.effects import DAYS
from loyalty.programme import held_out
from loyalty.programme.cannibalisation import AFTER, Cannibalisation
from loyalty.programme.effect import Effect
from loyalty.programme.observational import Observed
from loyalty.programme.profit_and_loss import ProfitAndLoss
from loyalty.programme.registry import Registration, register, succeeded
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


def test_a_campaign_that_is_not_over_has_no_split_and_no_account(study: Study) -> None:
    told = study.effects()
    running = {f"Campaign {each['campaign']}": each["running"] for each in told["randomised"]}
    accounts = {each["what"]: ProfitAndLoss.from_dict(each) for each in told["accounts"]}
    splits = {each["what"]: Cannibalisation.from_dict(each) for each in told["splits"]}
    for name, still in running.items():
        for refusals in (accounts[name].refusals, splits[name].refusals if name in splits else ()):
            assert any("is not over" in why for why in refusals) is (still and bool(refusals))
        assert (accounts[name].sales is None) is still
        assert (accounts[name].probability_positive is None) is still
    assert told["whole"] is not None
    assert any("Left out" in note for note in told["whole"]["notes"])


def test_all_weeks_in_which_coupons_came_back_are_read(
    study: Study, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[str, int] = {}

    def seen(table: pd.DataFrame, covariance: np.ndarray, **said: object) -> Cannibalisation:
        weeks = int(str(said["weeks_during"]))
        read[str(said["what"])] = weeks
        assert list(table["week"]) == list(range(len(table)))
        assert covariance.shape == (len(table),) * 2
        assert weeks + AFTER <= len(table) <= 2 * max(weeks, AFTER)
        return Cannibalisation(str(said["what"]), "randomised", 0.0, 0)

    monkeypatch.setattr(effects_worth, "split", seen)
    effects.effects(study)
    coupons = pd.read_parquet(root / "data/raw/shop/redemptions.parquet")
    campaigns = pd.read_parquet(root / "data/raw/shop/campaigns.parquet").set_index("campaign")
    last = pd.to_datetime(coupons.groupby("campaign")["time"].max()).dt.tz_localize(None).dt.normalize()
    days = (last - pd.to_datetime(campaigns["start"])).dt.days + 1
    assert read
    for name, weeks in read.items():
        assert weeks == -(-int(days[int(name.removeprefix("Campaign "))]) // 7)


def test_spend_an_order_is_the_ratio_of_two_sums(study: Study) -> None:
    offers = study.data.offers
    for each in study.effects()["randomised"]:
        found = Effect.from_dict(each["effects"]["order_value"])
        people = held_out.participants(
            study.data.tables, offers, each["campaign"], pd.Timestamp(each["start"]).date(),
            as_of=study.known_until, days=each["days"],
        )  # fmt: skip
        sums = people.groupby("arm")[["spend", "orders"]].sum()
        ratio = sums["spend"] / sums["orders"]
        assert found.raw is not None
        assert found.raw.estimate == pytest.approx(ratio["treated"] - ratio["control"])
        assert found.unit == f"{study.dataset.currency} an order"


def test_accounts_hold_what_was_earned(study: Study, truth: pd.DataFrame) -> None:
    measured, margin = study.campaigns()["campaign"], study.dataset.study.margin
    held = []
    for each in study.effects()["accounts"]:
        account, name = ProfitAndLoss.from_dict(each), each["what"].removeprefix("Campaign ")
        if account.profit is None or name not in truth.index:
            continue
        row = measured.loc[name]
        sold = truth.loc[name, "expected_spend"] * row["reached"]
        earned = margin * (sold + row["discount"]) - row["discount"] - row["contact_cost"] - account.costs.points
        held.append(account.profit.holds(earned))
    assert len(held) >= 2
    assert sum(held) >= len(held) - 1


def test_sums_of_those_drawn_are_those_of_the_log(study: Study, root: Path) -> None:
    drawn = held_out.campaigns(study.data.offers, study.known_until)
    name, start = str(drawn.index[0]), pd.Timestamp(drawn["start"].iloc[0])
    people = held_out.participants(
        study.data.tables,
        study.data.offers,
        name,
        start.date(),
        as_of=study.known_until,
        days=28,
        weeks=4,
        covariate="spend_84",
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


def test_a_week_that_is_not_over_has_no_spend(study: Study) -> None:
    drawn = held_out.campaigns(study.data.offers, study.known_until)
    name, start = str(drawn.index[0]), pd.Timestamp(drawn["start"].iloc[0]).date()
    at = [start + pd.Timedelta(days=days) for days in (20, 21)]
    told = [
        held_out.participants(study.data.tables, study.data.offers, name, start, as_of=day, days=56, weeks=8)
        for day in at
    ]
    weeks = [[column for column in each if column.startswith("week_")] for each in told]
    assert weeks == [["week_0", "week_1"], ["week_0", "week_1", "week_2"]]


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
        told = study.effects()
        (read,) = [one for one in told["randomised"] if one["campaign"] == each["campaign"]]
    finally:
        path.unlink()
    assert list(read["effects"]) == ["repurchase"]
    assert read["days"] == 28
    assert read["registered_on"] == study.first_day.isoformat()
    (account,) = [one for one in told["accounts"] if one["what"] == f"Campaign {each['campaign']}"]
    assert any("registered to be read by repurchase" in why for why in account["refusals"])
    assert read["minimum_effect"] == 0.01
    assert read["succeeded"] is succeeded(said, Effect.from_dict(read["effects"]["repurchase"]))
    assert any("Read as registered" in note for note in read["effects"]["repurchase"]["notes"])


def test_without_campaigns_there_is_nothing(simulated: Study) -> None:
    told = simulated.effects()
    assert not told["about"]["known"]
    assert told["randomised"] == told["observed"] == told["accounts"] == []
    assert told["responders"] is None
    assert told["members"]["effects"] is None
