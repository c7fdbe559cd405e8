"""What campaigns earned, all of them and over all of their days, against a retailer of whom the truth is known."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from loyalty import effects, effects_drawn, effects_worth
from loyalty.effects_drawn import TOO_SOON
from loyalty.effects_earned import LONG, Chosen, accounts
from loyalty.programme import held_out, observational
from loyalty.programme.cannibalisation import AFTER
from loyalty.programme.panel import panel
from loyalty.programme.profit_and_loss import ProfitAndLoss
from loyalty.sources.simulator import Simulation, simulate
from loyalty.study import Study

pytestmark = pytest.mark.slow

RETAILER = Simulation(
    customers=2500, days=640, seed=3, lift=1.0, lift_days=63, pull_forward=0.0, dropout="none", alpha=20.0,
    acquisition_days=90, campaign_every=150,
)  # fmt: skip
"""Campaigns 1 and 3 have a control group, 2 and 4 went to recent buyers; coupons are taken for nine weeks."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the retailer."""
    made = tmp_path_factory.mktemp("earned")
    for folder in ("notebooks", "data"):
        (made / folder).mkdir()
    simulate(RETAILER, "shop", made)
    return made


@pytest.fixture(scope="module")
def study(root: Path) -> Study:
    return Study.open("shop", root=root)


@pytest.fixture(scope="module")
def earned(root: Path, study: Study) -> pd.DataFrame:
    """By campaign: margin on what it added and gave off, less what it gave off and its contacts, from the truth."""
    raw, margin = root / "data/raw/shop", study.dataset.study.margin
    truth = pd.read_parquet(root / "data/raw/shop-truth/campaigns.parquet").set_index("campaign")
    off = pd.read_parquet(raw / "redemptions.parquet").groupby("campaign")["discount"].sum()
    contacts = pd.read_parquet(raw / "contacts.parquet").query("group == 'treated'").drop_duplicates()
    sent = contacts.groupby("campaign")["customer"].nunique()
    assert study.dataset.campaigns is not None
    cost = study.dataset.campaigns[0].contact_cost
    off = off.reindex(truth.index, fill_value=0.0)
    sold = truth["expected_spend"] * sent
    told = truth.assign(sold=sold, off=off, earned=margin * (sold + off) - off - cost * sent)
    return told.set_index(told.index.astype(str))


def read(study: Study, which: str) -> dict[str, ProfitAndLoss]:
    return {each["what"]: ProfitAndLoss.from_dict(each) for each in study.effects()[which]}


def holds(account: ProfitAndLoss, earned: float) -> bool:
    """Whether the interval of the profit before points holds what was earned."""
    assert account.profit is not None
    assert account.costs.points is not None
    return account.profit.holds(earned - account.costs.points)


def test_a_long_campaign_is_accounted_over_all_of_its_days(study: Study, earned: pd.DataFrame) -> None:
    account = read(study, "accounts")["Campaign 1"]
    assert LONG in account.notes
    assert account.costs.discount == pytest.approx(earned.loc["1", "off"])
    assert holds(account, earned.loc["1", "earned"])
    assert LONG not in read(study, "accounts")["Campaign 3"].notes


def test_its_sales_are_those_of_the_log_in_all_of_its_weeks(study: Study) -> None:
    offers = study.data.offers
    assert offers is not None
    drawn = held_out.campaigns(offers, study.known_until)
    last = effects_worth.last_days(study, offers)["1"]
    start = pd.Timestamp(drawn.loc["1", "start"])
    found = effects_drawn.read(study, offers, "1", drawn.loc["1"], last)
    assert found.long is not None
    assert found.long.raw is not None
    weeks = -(-((last - start.date()).days + 1) // 7) + AFTER
    moved = pd.concat([study.data.tables.days.to_pandas(), study.data.tables.returns.to_pandas()])
    at = (pd.to_datetime(moved["day"]) - start).dt.days
    spent = moved[at.between(0, 7 * weeks - 1)].groupby("customer")["spend"].sum()
    means = found.people["customer"].map(spent).fillna(0.0).groupby(found.people["arm"]).mean()
    assert found.long.raw.estimate == pytest.approx(means["treated"] - means["control"])
    assert weeks > 9 + AFTER - 1


def test_the_account_waits_for_the_weeks_after(study: Study) -> None:
    offers = study.data.offers
    assert offers is not None
    drawn = held_out.campaigns(offers, study.known_until)
    last = effects_worth.last_days(study, offers)["1"]
    soon = Study.open("shop", root=study.root, as_of=last + pd.Timedelta(days=20))
    assert soon.data.offers is not None
    found = effects_drawn.read(soon, soon.data.offers, "1", drawn.loc["1"], last)
    assert found.spend.identified
    assert found.earned.refusals == (TOO_SOON,)


def test_single_campaigns_of_chosen_customers_have_an_account_too(study: Study, earned: pd.DataFrame) -> None:
    single, shown = read(study, "single_accounts"), read(study, "accounts")
    assert set(single) == {"Campaign 2"}
    account = single["Campaign 2"]
    assert account.identified
    assert LONG in account.notes
    assert account.customers == earned.loc["2", "treated"]
    assert holds(account, earned.loc["2", "earned"])
    # The type that it alone can be compared of earned the same, and only that is summed.
    assert shown["voucher"].sales == pytest.approx(account.sales)
    assert set(shown) == {"Campaign 1", "Campaign 3", "voucher"}
    whole = study.effects()["whole"]
    assert whole["sales"] == pytest.approx(sum(each.sales or 0.0 for each in shown.values()))


def test_the_sum_is_of_all_campaigns_however_many_are_shown(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    every = study.effects()
    monkeypatch.setattr(effects, "SINGLE", 1)
    told = effects.effects(study)
    assert [each["campaign"] for each in told["randomised"]] == ["3"]
    assert [each["what"] for each in told["earlier_accounts"]] == ["Campaign 1"]
    (earlier,) = map(ProfitAndLoss.from_dict, told["earlier_accounts"])
    assert earlier == read(study, "accounts")["Campaign 1"]
    for part in ("sales", "standard_error", "customers", "costs"):
        assert told["whole"][part] == pytest.approx(every["whole"][part])


def test_campaigns_without_a_type_are_in_the_sum(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, voucher = study.campaigns(), read(study, "accounts")["voucher"]
    untyped = measured["campaign"].assign(type=measured["campaign"]["type"].where(lambda each: each.index != "2"))
    monkeypatch.setattr(Study, "campaigns", lambda _: measured | {"campaign": untyped})
    told = {each["what"]: each for each in effects.effects(study)["accounts"]}
    assert told[effects.UNTYPED]["sales"] == pytest.approx(voucher.sales)
    assert told["voucher"]["sales"] is None


@pytest.mark.parametrize("left_out", [False, True])
def test_a_campaign_that_its_type_leaves_out_is_summed_by_itself(study: Study, left_out: bool) -> None:
    offers = study.data.offers
    assert offers is not None
    around = panel(study.data.tables, study.known_until)
    found = observational.effect(around, "2", draws=0)
    refused = replace(found, effect=found.effect.refused("not identified"))
    groups = [
        {"name": "voucher", "kind": "type", "compared": [] if left_out else ["2"], "observed": refused},
        {"name": "Campaign 2", "kind": "campaign", "compared": ["2"], "observed": found},
    ]
    told = accounts(study, [], [], Chosen(around, groups, effects_worth.last_days(study, offers)))
    (single,) = told.single
    assert single.identified
    if left_out:
        assert told.whole is not None
        assert told.whole.sales == pytest.approx(single.sales)
    else:
        # Nothing is told of its type, which holds it; and one account is no sum.
        assert told.whole is None


def test_arms_of_other_sizes_than_the_dataset_file_plans_have_no_effect(study: Study, root: Path) -> None:
    told = study.effects()["randomised"]
    assert {each["planned"] for each in told} == {0.2}
    assert all(each["effects"]["spend"]["refusals"] == [] for each in told)
    text = (root / "data" / "shop.toml").read_text("utf-8")
    assert "hold_out = 0.2" in text
    (root / "data" / "other.toml").write_text(text.replace("hold_out = 0.2", "hold_out = 0.3"), "utf-8")
    other = Study.open("other", root=root)
    offers = other.data.offers
    assert offers is not None
    drawn = held_out.campaigns(offers, other.known_until)
    found = effects_drawn.read(other, offers, "1", drawn.loc["1"], None)
    assert any("planned shares (control 30.0 % planned" in why for why in found.effects["spend"].refusals)
