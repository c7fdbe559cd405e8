"""Who gets which offer: limits, errors, and what is earned where the true effects are known."""

import functools
import json

import knowable
import numpy as np
import pandas as pd
import pytest
from knowable import with_outlook
from known_effects import learned, of_customers, shares_of_the_oracle
from loyalty.errors import DataError, SettingsError
from loyalty.programme.allocation import Limits, allocate, compared
from loyalty.programme.regret import AS_FAR, AT_RANDOM, BY_RISK
from loyalty.sources.simulator import simulate_frames
from offers_at_hand import at_random, values
from responding_customers import customers, first_campaign, retailer, settings_of

SMALL = [
    ("a", "call", 9.0, 8.0), ("a", "mail", 6.0, 2.0), ("b", "mail", 4.0, 2.0), ("c", "mail", 1.0, 2.0),
    ("d", "mail", -1.0, 2.0),
]  # fmt: skip


@pytest.mark.parametrize("method", ["linear programme", "greedy"])
def test_a_small_table_by_hand(method):
    """With 10: a is called, for 9, and b gets a mail, for 4."""
    found = allocate(values(SMALL), Limits(10.0), method)
    assert found.chosen[["customer", "rule"]].to_numpy().tolist() == [["a", "call"], ["b", "mail"]]
    assert (found.value.estimate, found.value.low, found.value.high, found.cost) == (13.0, 11.0, 15.0, 10.0)


def test_one_offer_a_customer_and_none_that_costs_more_than_it_brings():
    found = allocate(values(SMALL))
    assert found.chosen["customer"].tolist() == ["a", "b", "c"]
    assert found.budget_price == 0.0
    assert found.bound == pytest.approx(14.0)


def test_what_the_last_unit_of_budget_is_worth():
    """Of 6 the third 2 buy c's mail, for 1; then the step to the call, 3 for 6."""
    assert allocate(values(SMALL), Limits(5.0)).budget_price == pytest.approx(0.5)
    assert allocate(values(SMALL), Limits(3.0)).budget_price == pytest.approx(2.0)


def test_contacts_of_a_channel_are_capped_and_have_a_price():
    found = allocate(values(SMALL), Limits(contacts={"mail": 1, "pigeon": 4}))
    assert found.chosen[["customer", "rule"]].to_numpy().tolist() == [["a", "call"], ["b", "mail"]]
    # One more mail brings 1, one less costs 4: any price between them is right.
    assert list(found.channel_prices) == ["mail"]
    assert 1.0 <= found.channel_prices["mail"] <= 4.0


def test_a_segment_gets_its_least_number():
    rows = values(SMALL, segment=["x", "x", "x", "y", "y"])
    found = allocate(rows, Limits(least={"y": 2}))
    assert found.chosen["customer"].tolist() == ["a", "b", "c", "d"]
    assert found.segment_prices == pytest.approx({"y": 1.0})


def test_a_minimum_that_cannot_be_met_says_which_and_how_many_there_are():
    with pytest.raises(DataError, match="'all' is to have 5 customers, and 4 of it have an offer"):
        allocate(values(SMALL), Limits(least={"all": 5}))
    with pytest.raises(DataError, match="'gold' is to have 1 customer, and 0 of it have"):
        allocate(values(SMALL), Limits(least={"gold": 1}))
    with pytest.raises(DataError, match=r"budget: 5.00 is less than the 6.00 that the minimum per segment costs"):
        allocate(values(SMALL), Limits(5.0, least={"all": 3}))
    with pytest.raises(DataError, match="do not reach the minimum per segment"):
        allocate(values(SMALL), Limits(least={"all": 3}, contacts={"mail": 1, "call": 1}), "greedy")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"budget": -1.0}, "actions.budget: expected money of at least 0, found -1"),
        ({"budget": np.nan}, "actions.budget: expected money"),
        ({"contacts": {"mail": 1.5}}, "actions.contacts.mail: expected a whole number"),
        ({"least": {"gold": -1}}, "actions.least.gold: expected a whole number"),
    ],
)
def test_wrong_limits_are_refused(wrong, said):
    with pytest.raises(SettingsError, match=said):
        Limits(**wrong)


@pytest.mark.parametrize("method", ["linear programme", "greedy"])
def test_nothing_to_choose_from(method):
    found = allocate(values(SMALL[-1:]), Limits(10.0), method)
    assert len(found.chosen) == found.value.estimate == found.cost == 0


def test_both_ways_are_compared():
    """With the budget alone they differ by less than a hundredth; the greedy choice never beats the bound."""
    rows = at_random(5, 400)
    found = compared(rows, Limits(0.1 * rows["cost"].sum()))
    assert 0.99 <= found["share"] <= 1.01
    assert max(found["linear_programme"], found["greedy"]) <= found["bound"] + 1e-6


def test_the_order_of_rows_changes_nothing():
    rows = at_random(6, 300)
    limits = Limits(0.1 * rows["cost"].sum(), {"mail": 30})
    one, other = (allocate(each, limits).chosen for each in (rows, rows.sample(frac=1, random_state=1)))
    assert one.equals(other)


def test_parts_of_offers_are_told_and_json_knows_the_rest():
    rows = at_random(7, 200)
    told = allocate(rows, Limits(0.1 * rows["cost"].sum())).to_dict()
    assert told["notes"][0].startswith("One customer was given parts of offers by the linear programme")
    assert json.loads(json.dumps(told)) == told
    assert allocate(rows, method="greedy").to_dict()["bound"] is None


# Known effects


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_the_allocation_earns_nine_tenths_of_the_oracles_value(share):
    """The issue's contract: effects learned from 8,000 customers of a randomised campaign, chosen among 4,000 others.

    Who is likeliest to leave is whoever spends least, which is known here and says little of the effect.
    """
    new, _, _, truth = customers(4000, 2)
    effects = learned(customers(8000, 1), new)
    risk = -new["x2"].to_numpy()
    earned = shares_of_the_oracle(of_customers(effects, worth=0.5, contact=1.0), 0.5 * truth - 1.0, share, risk)
    assert earned["allocation"] >= 0.9
    assert earned["allocation"] > max(earned[name] for name in (AS_FAR, AT_RANDOM, BY_RISK)) + 0.3


@pytest.mark.slow
def test_at_a_simulated_retailer_whose_customers_stay_it_earns_nine_tenths_of_the_oracles_value():
    """Customers who stay, and effects without a dip: the truth is the customer's rate, which past purchases tell."""
    plain = {"spread": 0.0, "dropout": "none", "pull_forward": 0.0}
    new, _, _, truth = retailer(6000, 2, **plain)
    effects = learned(retailer(15_000, 1, **plain), new)
    rows, risk = of_customers(effects, worth=0.3, contact=1.0), new["since"].fillna(1000.0).to_numpy()
    for share in (0.2, 0.4, 0.6):
        earned = shares_of_the_oracle(rows, 0.3 * truth - 1.0, share, risk)
        assert earned["allocation"] >= 0.9
        assert earned["allocation"] > max(earned[name] for name in (AS_FAR, AT_RANDOM, BY_RISK)) + 0.2


# Where customers leave unseen


PAIRS = ((1, 2), (3, 4), (5, 6), (7, 8))
"""Seeds of the retailer whose campaign is learned from, and of the one whose customers are chosen among."""


@pytest.fixture(scope="module")
def campaign():
    """Return a function that gives the first campaign of an ordinary retailer, and what can be known of its effects."""

    @functools.cache
    def made(n, seed, spread, *, known=True):
        settings = settings_of(n, seed, spread=spread)
        shop = simulate_frames(settings)
        features, *rest = first_campaign(shop)
        learnt = with_outlook(features, shop, 42), *rest
        return (*learnt, knowable.effects(shop, settings, features.index)) if known else learnt

    return made


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_what_can_be_known_is_right_on_average_and_no_more_than_the_truth(campaign, spread):
    """By eighths of what is said, true effects lie around it: the posterior is that of these customers."""
    *_, truth, known = campaign(20_000, 2, spread)
    parts = pd.qcut(known, 8, labels=False, duplicates="drop")
    for part in np.unique(parts):
        said, true = known[parts == part], truth[parts == part]
        # Among those who have surely left chance may draw nobody who has not, so that no error shows.
        error = true.std() / np.sqrt(len(true)) + 0.01 * abs(truth.mean())
        assert abs(said.mean() - true.mean()) < 4 * error
    assert np.corrcoef(known, truth)[0, 1] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread", "customers", "least"),
    [(0.0, 15_000, (0.9, 0.9, 0.9)), (1.0, 60_000, (0.9, 0.9, 0.9)), (1.0, 15_000, (0.85, 0.9, 0.9))],
)
def test_at_an_ordinary_retailer_it_is_held_against_the_best_that_can_be_known(campaign, spread, customers, least):
    """Nobody who has left for ever says so, and an oracle who knows it is out of reach: the best that can be known is
    the posterior mean of each effect, given the log and how the retailer was drawn. Means over retailers.

    Where customers respond alike the allocation earns nine tenths of what that earns. Where each responds in a way of
    one's own, which a log hardly tells, it does so if the campaign that it learned from was large; if that was of
    15,000 customers, not at the smallest budget.
    """
    shares = []
    for seed, other in PAIRS:
        effects = learned(campaign(customers, seed, spread, known=False), campaign(20_000, other, spread)[0])
        shares.append(shares_of_what_can_be_known(effects, campaign(20_000, other, spread)))
    assert (np.mean(shares, axis=0) >= least).all()


def shares_of_what_can_be_known(effects, campaign):
    """What the allocation truly earns in what can be earned by whoever knows all that can be, at three budgets."""
    new, _, _, truth, known = campaign
    rows, best = (of_customers(each, worth=0.3, contact=1.0) for each in (effects, exactly(known)))
    risk, shares = new["since"].fillna(1000.0).to_numpy(), []
    for share in (0.2, 0.4, 0.6):
        earned = shares_of_the_oracle(rows, 0.3 * truth - 1.0, share, risk)
        reachable = shares_of_the_oracle(best, 0.3 * truth - 1.0, share, risk)["allocation"]
        assert reachable < 0.96
        assert earned["allocation"] > max(earned[name] for name in (AS_FAR, AT_RANDOM, BY_RISK)) + 0.2
        shares.append(earned["allocation"] / reachable)
    return shares


def exactly(effect):
    return pd.DataFrame({"effect": effect, "low": effect, "high": effect})
