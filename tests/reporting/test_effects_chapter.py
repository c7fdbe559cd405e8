"""What the page says of effects: it follows from the results, and there is no number where nothing is identified."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from loyalty.effects_drawn import TOO_SOON
from loyalty.effects_earned import LONG
from loyalty.programme.cannibalisation import Cannibalisation
from loyalty.programme.effect import Effect, Interval, Placebo
from loyalty.programme.observational import Observed
from loyalty.programme.profit_and_loss import Costs, profit_and_loss
from loyalty.programme.responders import who_responds
from loyalty.programme.whole_programme import programme
from loyalty.reporting.chapters import effect_chosen as chosen
from loyalty.reporting.chapters import effect_gains as gains
from loyalty.reporting.chapters import effect_value as worth
from loyalty.reporting.chapters import effects
from loyalty.reporting.chapters.effect_numbers import because, mark, read_lines, sized
from loyalty.study import Study

PASSED = Placebo("weeks before", Interval(0.1, -1.0, 1.2), True, "Before there was nothing.")
FOUND = Effect(
    what="Spend", design="difference-in-differences", estimand="", unit="USD a customer",
    found=Interval(12.0, 8.0, 16.0), standard_error=2.4, treated=500, control=900, assumptions=("Alike before.",),
    placebos=(PASSED,), raw=Interval(300.0, 280.0, 320.0),
)  # fmt: skip
WHY = "not identified: weeks before. In the 8 weeks before they differed by +8.19 USD a customer a week (p = 0.011)."
REFUSED = FOUND.refused(WHY)
DRAWN = replace(FOUND, design="randomised", found=Interval(5.0, 2.0, 8.0), raw=Interval(6.0, -1.0, 13.0))
WEEKS = pd.DataFrame(
    {
        "week": [-2, -1, 0, 1],
        "phase": ["tested", "matched", "during", "after"],
        **{name: [0.1, 0.0, 9.0, 3.0] for name in ("estimate", "low", "high", "band_low", "band_high")},
    }
)


def group(name: str, kind: str, effect: Effect) -> dict[str, Any]:
    weeks = WEEKS if effect.identified else WEEKS[WEEKS["week"] < 0]
    lift, dip = (Interval(9.0, 6.0, 12.0), Interval(3.0, -1.0, 7.0))
    found = Observed(effect, replace(effect, design="doubly robust"), lift, dip, weeks)
    return {"name": name, "kind": kind, "campaigns": 3, "compared": ["1", "2"], "observed": found.to_dict()}


def opened(name: str = "shop", minimum_cell: int = 10, notice: str = "", **told: Any) -> Study:
    """A study of which only the effects are known."""
    known = bool(told)
    said = {
        "about": {"known": known, "days": 56, "randomised": 0, "targeted": 3},
        "randomised": [], "observed": [], "splits": [], "accounts": [], "earlier_accounts": [],
        "single_accounts": [], "whole": None,
        "members": {"effects": None, "standing": []}, "responders": None,
    } | told  # fmt: skip
    dataset = SimpleNamespace(
        currency="USD", notice=notice, privacy=SimpleNamespace(minimum_cell=minimum_cell),
        study=SimpleNamespace(margin=0.25),
    )  # fmt: skip
    return cast("Study", SimpleNamespace(name=name, dataset=dataset, horizon_days=28, effects=lambda: said))


def drawn(effect: Effect, **others: Any) -> dict[str, Any]:
    facts = {"campaign": "7", "start": "2024-03-01", "days": 56, "running": False, "registered_on": None}
    facts |= {"minimum_effect": None, "succeeded": None, "planned": None}
    return facts | others | {"effects": {"spend": effect.to_dict()}}


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:[.,]\d+)?", text)


def html(table: Any) -> str:
    """Words of a table, without its style."""
    raw = re.sub(r"(?s)<style.*?</style>", "", table.as_raw_html())
    return re.sub(r"<[^>]+>", " ", raw)


def test_an_effect_is_told_beside_the_raw_difference_that_is_none() -> None:
    study = opened(observed=[group("Type A", "type", FOUND)])
    told = html(chosen.chosen(study))
    assert "12.00 (8.00 to 16.00)" in told
    assert "No effect: raw difference" in told
    assert "300" in told
    said = chosen.read_chosen(study)
    assert "beyond chance is Type A" in said
    assert "$300 more than the others (no effect: they were chosen)" in said


def test_what_is_not_identified_has_no_number() -> None:
    study = opened(observed=[group("All campaigns", "all", REFUSED)])
    told = html(chosen.chosen(study))
    assert "not identified" in told
    for number in ("12.00", "300", "8.19", "0.011"):
        assert number not in told
        assert number not in chosen.read_chosen(study) + effects.in_short(study) + chosen.doubts(study)
    assert numbers(chosen.read_chosen(study)) == []
    assert "already differed in weeks before" in chosen.read_chosen(study)
    assert "nothing is said of the weeks after" in chosen.read_weeks(study)
    (title, weeks) = next(iter(chosen.weeks(study).items()))
    assert "not identified" in title
    assert (weeks["week"] < 0).all()
    assert chosen.chosen_lines(study)["estimate"].isna().all()
    assert read_lines(study, chosen.chosen_lines(study)).startswith("No effect is identified")


def test_an_effect_of_few_customers_is_not_told() -> None:
    study = opened(minimum_cell=600, observed=[group("Type A", "type", FOUND)])
    assert "12.00" not in html(chosen.chosen(study))
    assert chosen.weeks(study) == {}


def test_refusals_that_count_customers_are_said_without_the_count() -> None:
    assert because(("campaign 15: 3 customers contacted in a week, fewer of whom had bought before",)) == (
        "too few customers were contacted in one week"
    )
    assert numbers(because(("something else of 4 customers",))) == []


def test_several_effects_are_called_uncorrected_and_the_tuned_log_an_example() -> None:
    both = [group("Type A", "type", FOUND), group("Type B", "type", FOUND)]
    assert "no correction is made for their number" in chosen.doubts(opened(observed=both))
    assert "after this log had been seen" not in chosen.doubts(opened(observed=both))
    assert "after this log had been seen" in chosen.doubts(opened("complete-journey", observed=both))


def test_a_drawn_campaign_is_told_with_how_it_was_read() -> None:
    study = opened(randomised=[drawn(DRAWN, running=True)])
    told = html(effects.held_out(study))
    assert "+$5.00 (+$2.00 to +$8.00)" in told
    assert "so far" in told
    assert "largest was campaign 7, +$5.00 a customer" in effects.read_held_out(study)
    assert "is not over" in effects.doubts_held_out(study)
    assert "loyalty design --register" in effects.doubts_held_out(study)


def test_arms_of_other_sizes_than_planned_have_no_effect() -> None:
    refused = DRAWN.refused("The arms do not have their planned shares (control 20.0 % planned, 9.1 % found).")
    study = opened(randomised=[drawn(refused, registered_on="2024-02-01")])
    assert "not told" in html(effects.held_out(study))
    assert numbers(effects.read_held_out(study)) == []
    assert "planned sizes" in effects.read_held_out(study)
    assert effects.held_out_lines(study)["estimate"].isna().all()


def test_an_effect_within_chance_is_said_to_be() -> None:
    unclear = replace(FOUND, found=Interval(1.0, -3.0, 5.0))
    study = opened(observed=[group("Type A", "type", unclear)])
    assert "no effect on spend is distinguishable from zero" in effects.in_short(study)
    assert "none is distinguishable from zero" in chosen.read_chosen(study)


def split_of(width: float) -> Cannibalisation:
    anyway = Interval(50.0, 50.0 - 50 * width, 50.0 + 50 * width)
    rest = Interval(25.0, 0.0, 50.0)
    return Cannibalisation("Type A", "difference-in-differences", 100.0, 500, rest, rest, anyway)


def test_a_split_is_told_only_where_it_says_something() -> None:
    sure, vague = (opened(splits=[split_of(width).to_dict()]) for width in (0.2, 1.0))
    assert "50 % would have been bought anyway (90 % interval 40 to 60 %)" in worth.read_split(sure)
    assert "40.0 to 60.0" in html(worth.split(sure))
    assert not worth.has_splits(vague)
    assert numbers(worth.read_split(vague)) == []


@pytest.mark.parametrize("contact", [None, 500.0])
def test_an_account_stops_at_the_margin_where_a_cost_is_missing(contact: float | None) -> None:
    account = replace(profit_and_loss(FOUND, 0.25, Costs(1000.0, contact, 0.0)), what="Type A")
    lost = replace(profit_and_loss(REFUSED, 0.25, Costs(10.0, contact, 0.0)), what="Type B")
    whole = programme([account, lost], what="All of these together")
    study = opened(accounts=[account.to_dict(), lost.to_dict()], whole=whole.to_dict())
    told, said = html(worth.account(study)), worth.read_account(study)
    assert "Type B" not in told
    assert "Left out, because what they caused is not identified: Type B" in said
    if contact is None:
        assert "Profit" not in told
        assert "Margin on them" in told
        assert "stops there: contact cost is not known" in said
    else:
        # 500 customers x 12 USD + 1,000 given off, a quarter of it, less 1,500 of costs.
        assert "$250 after all costs" in said
        assert "Chance of a profit" in told
        assert "Margin on them" not in told


def test_a_discount_known_in_part_makes_a_profit_at_most() -> None:
    account = profit_and_loss(FOUND, 0.25, Costs(1000.0, 500.0, 0.0), discount_share=0.54)
    study = opened(accounts=[replace(account, what="Type A").to_dict()])
    told, said = html(worth.account(study)), worth.read_account(study)
    assert "earned at most $250 after all costs" in said
    assert "chance of at most" in said
    assert "at least these, for of as few as 54 % of the coupons" in told
    stopped = profit_and_loss(FOUND, 0.25, Costs(1000.0, None, 0.0), discount_share=0.54)
    assert "against at least $1,000 given off" in worth.read_account(opened(accounts=[stopped.to_dict()]))
    sure = opened(accounts=[profit_and_loss(FOUND, 0.25, Costs(1000.0, 500.0, 0.0)).to_dict()])
    assert "at most" not in worth.read_account(sure)
    assert "at least" not in html(worth.account(sure))


def test_a_campaign_that_is_not_over_has_no_account_and_no_split() -> None:
    running = DRAWN.refused("The campaign is not over: what it sells and costs from here on is not known.")
    costs = Costs(10.0, 5.0, 0.0)
    told = [replace(profit_and_loss(each, 0.25, costs), what=name) for name, each in (("old", DRAWN), ("new", running))]
    split = Cannibalisation("new", "randomised", 100.0, 500, refusals=running.refusals)
    study = opened(accounts=[each.to_dict() for each in told], splits=[split.to_dict()])
    assert "Too early for an account: new." in worth.read_account(study)
    assert "not identified" not in worth.read_account(study)
    assert "Of new there is no split: it is not over." in worth.read_split(study)


def test_reasons_of_refused_splits_are_told_apart() -> None:
    parts = [
        Cannibalisation(name, "randomised", 100.0, 500, refusals=(why,))
        for name, why in (("a", "Nothing was redeemed."), ("b", "The campaign is not over."))
    ]
    said = worth.read_split(opened(splits=[each.to_dict() for each in parts]))
    assert "Of a there is no split: nothing was redeemed. Of b there is no split: it is not over." in said


def test_what_was_not_measured_stands_below_the_split() -> None:
    notes = (
        "The effects were measured on 300 of the 500 customers treated; ...", "2 of 5 campaigns are left out: ...",
        "Of 54 % of the coupons handed in the lines are known: ...",
    )  # fmt: skip
    study = opened(splits=[replace(split_of(0.2), notes=notes).to_dict()])
    told = html(worth.split(study))
    assert "Those with nobody like them are taken to have responded" in told
    assert "Campaigns without four known weeks" in told
    assert "at least these, and so is what would have been bought anyway" in told
    assert "300" not in told
    assert "nobody like them" not in html(worth.split(opened(splits=[split_of(0.2).to_dict()])))


@pytest.mark.parametrize(
    ("least", "succeeded", "said"),
    [
        (1.0, True, "it did, beyond chance. The least that matters was +$1.00; what was found is of that size."),
        (5.0, True, "it did, beyond chance. The least that matters was +$5.00; what was found may be of that size or"),
        (9.0, False, "that it did is not shown. The least that matters was +$9.00; what was found is smaller."),
    ],
)
def test_a_registered_campaign_is_held_to_its_aim(least: float, succeeded: bool, said: str) -> None:
    facts = drawn(DRAWN, registered_on="2024-02-01", minimum_effect=least, succeeded=succeeded)
    assert said in effects.doubts_held_out(opened(randomised=[facts]))
    assert "was registered to raise" not in effects.doubts_held_out(opened(randomised=[drawn(DRAWN)]))


def named(account: Any, what: str) -> dict[str, Any]:
    return replace(account, what=what).to_dict()


def test_earlier_campaigns_are_one_row_and_in_the_sum() -> None:
    account = profit_and_loss(DRAWN, 0.25, Costs(20.0, 5.0, 0.0))
    earlier = [named(account, f"Campaign {name}") for name in "ab"]
    whole = named(programme([account] * 3), "All of these together")
    told = html(worth.account(opened(accounts=[named(account, "Campaign 7")], earlier_accounts=earlier, whole=whole)))
    assert "2 earlier, with a control group" in told
    # 500 customers x 5 USD and 20 given off, a quarter of it, less 25: once, twice and three times.
    for profit in ("605", "1,210", "1,815"):
        assert profit in told
    assert "earlier" not in html(worth.account(opened(accounts=[named(account, "Campaign 7")])))


def test_a_single_campaign_is_told_as_a_part_of_its_type() -> None:
    account = profit_and_loss(FOUND, 0.25, Costs(1000.0, 500.0, 0.0))
    both = [group("Type A", "type", FOUND), group("Campaign 2", "campaign", FOUND) | {"compared": ["2"]}]
    part = opened(observed=both, accounts=[named(account, "Type A")], single_accounts=[named(account, "Campaign 2")])
    told = html(worth.account(part))
    assert "Campaign 2 (Type A)" in told
    assert "is part of that, and not summed by itself" in told
    assert "Campaign 2" not in worth.read_account(part)
    # One that its type could not be compared with stands for itself, and is summed.
    alone = opened(
        observed=[both[0] | {"compared": ["1"]}, both[1]],
        accounts=[named(account, "Type A")],
        single_accounts=[named(account, "Campaign 2")],
    )
    told = html(worth.account(alone))
    assert "Campaign 2" in told
    assert "Campaign 2 (" not in told
    assert "not summed by itself" not in told


def test_it_is_said_over_which_days_sales_of_long_campaigns_are_counted() -> None:
    account = profit_and_loss(DRAWN, 0.25, Costs(10.0, 5.0, 0.0))
    long = named(replace(account, notes=(LONG,)), "Campaign 7")
    assert "of more than 56 days sales are counted in all weeks" in html(worth.account(opened(accounts=[long])))
    assert "of more than 56 days" not in html(worth.account(opened(accounts=[account.to_dict()])))


def test_a_campaign_whose_dip_is_not_seen_yet_is_too_early() -> None:
    account = profit_and_loss(DRAWN.refused(TOO_SOON), 0.25, Costs(10.0, 5.0, 0.0))
    study = opened(accounts=[named(profit_and_loss(DRAWN, 0.25, Costs(10.0, 5.0, 0.0)), "old"), named(account, "new")])
    assert "Too early for an account: new." in worth.read_account(study)


def test_the_sizes_of_the_arms_are_held_against_what_was_planned() -> None:
    refused = DRAWN.refused("The arms do not have their planned shares (control 20.0 % planned, 9.1 % found).")
    unknown, known, odd = drawn(DRAWN), drawn(DRAWN, planned=0.2), drawn(refused, campaign="8", planned=0.2)
    assert "neither in the dataset file (`campaigns.hold_out`)" in effects.doubts_held_out(opened(randomised=[unknown]))
    said = effects.doubts_held_out(opened(randomised=[known]))
    assert "(1 campaign), the arms have these sizes, as chance has it." in said
    assert "could not be checked" not in said
    both = effects.doubts_held_out(opened(randomised=[known, odd, unknown]))
    assert "(2 campaigns), the arms have these sizes, but in campaign 8, of which no effect is told." in both
    assert "could not be checked in 1 campaign." in both


def test_a_ratio_is_told_by_the_order() -> None:
    ratio = replace(DRAWN, unit="USD an order")
    facts = drawn(DRAWN) | {"effects": {"spend": DRAWN.to_dict(), "order_value": ratio.to_dict()}}
    told = html(effects.held_out(opened(randomised=[facts])))
    assert "Spend an order" in told
    assert sized(ratio, "USD") == "+$5.00 an order (90 % interval +$2.00 to +$8.00)"
    assert because(("An arm has no orders at all: there is no ratio.",)) == "an arm ordered nothing"


def test_too_few_campaigns_that_never_were_are_not_called_effects_found() -> None:
    why = (
        "not identified: campaigns at random dates. Only 3 of 100 campaigns that never were could be compared, too few"
    )
    assert because((why,)).startswith("too few campaigns that never were could be compared")
    assert numbers(because((why,))) == []


def test_members_are_told_beside_the_raw_difference() -> None:
    study = opened(members={"effects": {"spend": FOUND.to_dict()}, "standing": []})
    assert gains.has_members(study)
    said = gains.read_members(study)
    assert "Joining changed spend by +$12.00 a customer" in said
    assert "+$300 (no effect: better customers join)" in said
    nobody = FOUND.refused("Nobody has joined by this date.").to_dict()
    refused = opened(members={"effects": {"spend": nobody}, "standing": []})
    assert not gains.has_members(refused)
    assert "nobody has joined yet" in gains.read_members(refused)


def test_without_campaigns_each_part_says_what_it_would_take() -> None:
    study = opened()
    assert "`[contacts]`" in effects.in_short(study)
    assert not effects.has_randomised(study)
    assert not chosen.has_observed(study)
    assert "`contacts.group`" in effects.read_held_out(study)
    assert "`transactions.coupon`" in worth.read_split(study)
    assert "what a contact costs" in worth.read_account(study)
    assert "held out by chance" in gains.read_responders(study)
    assert "`customers.joined`" in gains.read_members(study)
    assert worth.limits(study) == ""


def test_simulated_data_is_marked() -> None:
    assert mark(opened(notice="Simulated: none of its customers exists.")) == ", simulated data"
    assert mark(opened(notice="A panel.")) == ""


def test_nothing_is_asked_of_a_dataset_without_purchases() -> None:
    assert not effects.has_randomised(None)
    assert not chosen.has_observed(None)
    assert not worth.has_splits(None)
    assert not worth.has_accounts(None)
    assert not gains.has_members(None)
    assert not gains.knows_responders(None)


@pytest.fixture(scope="module")
def responding() -> dict[str, Any]:
    """Half of 400 customers gain 20, the others nothing; a contact costs 1."""
    random, keen, sent = np.random.default_rng(3), np.arange(400) % 4 < 2, np.arange(400) % 2 == 0
    spend = 30 + random.normal(0, 5, 400) + 20 * (keen & sent)
    arm = np.where(sent, "treated", "control")
    found = who_responds(pd.DataFrame({"keen": keen * 1.0}), arm, spend, margin=0.5, cost=1.0)
    return {"campaign": "7", "days": 56, "response": json.loads(json.dumps(found.response.to_dict()))}


def test_what_a_shorter_list_is_worth_is_told_with_intervals(responding: dict[str, Any]) -> None:
    study = opened(responders=responding)
    (line,) = gains.curves(study, "qini").values()
    told = gains.read_qini(study)
    best = line.loc[line["share"].sub(0.5).abs().idxmin()]
    assert best["gain"] == pytest.approx(10, abs=2)
    assert best["low"] < best["gain"] < best["high"]
    assert told.startswith("Sending it to the best 30 % adds $")
    assert len(re.findall("90 % interval", told)) == 2
    # Those who were sent it, among the best: 20 each.
    among = float(re.findall(r"differ by \$(\d+\.\d+) a customer", gains.read_uplift(study))[0])
    assert among == pytest.approx(20, abs=3)
    shares = gains.budget(study)
    assert shares.loc[shares["gain"].idxmax(), "share"] == pytest.approx(0.5, abs=0.06)
    assert "earns $4" in gains.read_budget(study)


def test_points_of_a_curve_lie_far_enough_apart_that_nobody_is_told(responding: dict[str, Any]) -> None:
    study = opened(minimum_cell=40, responders=responding)
    for line in (*gains.curves(study, "qini").values(), *gains.curves(study, "uplift").values(), gains.budget(study)):
        assert (line["share"].diff().dropna() * 400 >= 40 - 1e-6).all()
        assert line["share"].iloc[[0, -1]].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("contact", [None, 400.0])
def test_a_contact_of_unknown_cost_is_said_to_count_as_nothing(
    responding: dict[str, Any], contact: float | None
) -> None:
    account = replace(profit_and_loss(DRAWN, 0.25, Costs(10.0, contact, 0.0)), what="Campaign 7")
    told = gains.read_budget(opened(accounts=[account.to_dict()], responders=responding))
    assert ("counts as nothing" in told) == (contact is None)
