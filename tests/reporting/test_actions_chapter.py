"""What the page says of actions: whole sentences, what is assumed is called so, and nothing of few customers."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from acting_shop import RULES, log, opened, scored
from hypothesis import given
from hypothesis import strategies as st
from loyalty.action_plan import STAGES
from loyalty.actions import NO_RULE, UNREACHED, actions
from loyalty.programme.moments import NOT_YET
from loyalty.programme.regret import BEYOND, REASONS, SURE_BUYER, TOO_DEAR
from loyalty.programme.states import STATES
from loyalty.reporting import action_figures as figures
from loyalty.reporting.chapters import actions as short
from loyalty.reporting.chapters import actions_budget as money
from loyalty.reporting.chapters import actions_left as left
from loyalty.reporting.chapters import actions_next as following
from loyalty.reporting.chapters import actions_numbers as numbers
from loyalty.reporting.chapters import actions_rules as rules
from loyalty.reporting.chapters import actions_states as states
from loyalty.reporting.chapters import actions_value as value
from loyalty.study import Study
from matplotlib import pyplot as plt

BROKEN = re.compile(r"\bnan\b|\bNone\b|\binf\b|\bTrue\b|\bFalse\b|  |\.\.|<NA>|\{|NaT|−0\.0\b")
METHODS = list(following.METHODS)
PARTS = ("met", "rested", "free", "offered", "other", "nothing", "customers")


def teardown_function() -> None:
    plt.close("all")


class Steps:
    """A study of which only the step of actions is known."""

    def __init__(self, study: Study, step: dict[str, Any]) -> None:
        self.dataset, self.as_of, self.known_until = study.dataset, study.as_of, study.known_until
        self.first_day, self.horizon_days, self.facts, self._step = (
            study.first_day,
            study.horizon_days,
            study.facts,
            step,
        )

    def actions(self) -> dict[str, Any]:
        return self._step


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> Study:
    return opened(make_shop(log(simulated_log), shop_toml + RULES))


@pytest.fixture(scope="module")
def step(shop: Study) -> dict[str, Any]:
    with scored(shop):
        return actions(shop)


@pytest.fixture(scope="module")
def changed(shop: Study, step: dict[str, Any]) -> Callable[..., Any]:
    """Return a function that gives the step with other frames and facts."""

    def make(frames: dict[str, pd.DataFrame] | None = None, **facts: Any) -> Any:
        return Steps(shop, step | (frames or {}) | {"about": step["about"] | facts})

    return make


@pytest.fixture(scope="module")
def study(changed: Callable[..., Any]) -> Any:
    return changed()


def sentences(study: Any) -> dict[str, str]:
    told = {each.__name__: each(study) for each in (short.opening, short.limits, short.meeting, left.read_holdouts)}
    if short.is_assumed(study):
        told["warning"] = short.warning(study)
    if numbers.has_chosen(study):
        told["action"] = value.read_action(study)
        told |= {by: value.read_group(study, by) for by in ("segment", "state")}
        told["regret"] = money.read_regret(study)
    if value.has_evidence(study):
        told["evidence"] = value.read_evidence(study)
    if left.has_alone(study):
        told["alone"] = left.read_alone(study)
    if states.has_states(study):
        told["states"] = states.read_states(study)
    if states.has_moves(study):
        told["moves"] = states.read_moves(study)
    if rules.has_rules(study):
        told |= {"rules": rules.read_rules(study), "caught": rules.read_caught(study)}
    if money.has_curve(study):
        told["curve"] = money.read_curve(study)
    return told | {"next": following.read_contest(study) if following.is_judged(study) else following.why_not(study)}


def cells(table: Any) -> str:
    return re.sub(r"<.*?>", " ", table.as_raw_html().split("</style>")[-1])


def test_every_sentence_is_whole(study: Any) -> None:
    told = sentences(study)
    assert len(told) == 16
    for name, text in told.items():
        assert BROKEN.search(text) is None, (name, text)
        assert text.endswith("."), (name, text)


def test_the_answer_counts_who_is_contacted_held_out_and_left_alone(
    study: Any, step: dict[str, Any], changed: Callable[..., Any]
) -> None:
    chosen = step["about"]["allocation"]["customers"]
    text = short.opening(study)
    assert f"about {round(0.75 * chosen)} of 300 customers are contacted, and about {round(0.25 * chosen)} who" in text
    assert text.endswith("Nobody is left alone.")
    alone = pd.DataFrame({"reason": [NO_RULE], "customers": [100], "value": 0.0})
    more = short.opening(changed({"alone": alone}, customers=chosen + 100))
    assert more.endswith("100 are left alone: all because no rule is for them.")
    sums = numbers.total(study)
    by_rule = step["rules"].set_index("rule")
    assert sums["spent"] == pytest.approx(0.75 * by_rule["spent"].sum())
    assert sums["value"] == pytest.approx(0.75 * step["about"]["allocation"]["value"]["estimate"])


def test_what_is_assumed_is_called_so_wherever_it_is_counted_with(study: Any) -> None:
    assert "has not been measured" in short.warning(study)
    assert "Consent is not recorded" in short.warning(study)
    assert "the range that is assumed" in short.opening(study)
    assert "nobody has measured the effect" in short.meeting(study)
    assert "assumed, not measured" in cells(value.evidence(study))
    assert "10 to 50 more buyers in a hundred" in cells(value.evidence(study))
    assert "from 10 to 50 customers in a hundred" in value.read_evidence(study)
    for table in (value.by_action(study), value.by_group(study, "segment"), money.regret(study)):
        assert "(assumed effects)" in cells(table)
        assert "90 %" not in cells(table)


def test_what_is_measured_has_an_interval(changed: Callable[..., Any], step: dict[str, Any]) -> None:
    evidence = step["evidence"].assign(
        design=["randomised", "assumed"],
        measure=["spend", "buying"],
        effect=[2.5, 0.2],
        low=[-1.0, 0.1],
        high=[6.0, 0.3],
    )
    name = evidence["rule"].iloc[0]
    study = changed({"evidence": evidence}, single=[name])
    told = cells(value.evidence(study))
    assert "measured (randomised, for each customer)" in told
    assert "2.5 (90 % interval −1 to 6) EUR a customer" in told
    assert f"measured: *{name}*; of all others it is assumed" in value.read_evidence(study)
    assert numbers.error(study) == "90 % interval, or the range that is assumed"
    sure = changed({"evidence": evidence.assign(design="randomised")}, assumed=False, default_rules=False, consent=True)
    assert not short.is_assumed(sure)
    assert numbers.error(sure) == "90 % interval"
    assert numbers.note(sure) == ""
    assert "90 % interval" in short.meeting(sure)
    assert "Every effect was measured" in value.read_evidence(sure)
    few = changed({"evidence": evidence.assign(customers=[4, 100])})
    assert "of too few customers to tell" in cells(value.evidence(few))


def test_an_effect_on_chosen_customers_is_not_called_measured(
    changed: Callable[..., Any], step: dict[str, Any]
) -> None:
    evidence = step["evidence"].assign(design=["difference-in-differences", "assumed"], measure="spend")
    first, second = evidence["rule"]
    study = changed({"evidence": evidence}, unproved=[second])
    assert "estimated on chosen customers (difference-in-differences)" in cells(value.evidence(study))
    text = value.read_evidence(study)
    assert f"Of *{first}* the effect was estimated on customers who were chosen, not drawn" in text
    assert "Of all others it is assumed." in text
    assert f"The campaigns that *{second}* names as evidence tell no effect" in text
    assert "measured" not in text
    alone = changed({"evidence": evidence.head(1)})
    assert "assumed" not in value.read_evidence(alone)


def test_limits_that_cannot_be_kept_are_told_and_nothing_else(
    changed: Callable[..., Any], step: dict[str, Any]
) -> None:
    empty = {name: pd.DataFrame() for name, part in step.items() if name != "about"}
    about = {
        name: step["about"][name] for name in ("as_of", "known_until", "currency", "consent", "contacts", "limits")
    }
    study = changed()
    study._step = empty | {"about": about | {"refused": "budget: 5.00 is less than the 9.00 that is needed"}}
    told = sentences(study)
    assert told["opening"].startswith("Nothing is done: the limits of the dataset file cannot be kept. Budget: 5.00")
    assert set(told) == {"opening", "limits", "meeting", "read_holdouts", "next"}
    assert not short.is_assumed(study)
    assert not following.is_judged(study)


def test_where_nothing_pays_everyone_is_left_alone(changed: Callable[..., Any], step: dict[str, Any]) -> None:
    nothing = step["about"]["allocation"] | {"customers": 0}
    frames = {
        "rules": step["rules"].assign(customers=0, spent=0.0, value=0.0, low=0.0, high=0.0),
        "alone": pd.DataFrame({"reason": [*REASONS, NO_RULE], "customers": [0, 0, 0, 0, 300], "value": 0.0}),
        "curve": step["curve"].head(0),
        "holdouts": step["holdouts"].head(0),
    }
    study = changed(frames, allocation=nothing)
    assert short.opening(study).startswith("No action pays for any of the 300 customers who have bought")
    assert "leave them in peace" in short.meeting(study)
    assert not money.has_curve(study)
    assert not left.has_holdouts(study)
    assert "Nobody is held out, for nothing is done." in left.read_holdouts(study)


# Small groups


def caught(rows: list[tuple[int, ...]]) -> pd.DataFrame:
    """Rules with so many in a cool-down, contacted lately, without consent, with another action, with none, chosen."""
    frame = pd.DataFrame(rows, columns=["resting", "busy", "refusing", "other", "nothing", "customers"])
    met = frame.sum(axis=1)
    rested = met - frame["resting"]
    free = rested - frame["busy"]
    told = {"met": met, "rested": rested, "free": free, "offered": free - frame["refusing"]}
    names = [f"rule {number}" for number in range(len(frame))]
    money = dict.fromkeys(("spent", "value", "low", "high"), 1.0)
    return pd.DataFrame({"rule": names, "channel": "post"}).assign(
        **told, **frame[["other", "nothing", "customers"]], **money
    )


COUNTS = st.lists(st.tuples(*[st.integers(0, 40)] * 6), min_size=1, max_size=6)


@given(COUNTS)
def test_no_small_group_can_be_had_from_a_row_or_a_column(
    changed: Callable[..., Any], step: dict[str, Any], rows: list[tuple[int, ...]]
) -> None:
    frame = caught(rows)
    holds = frame[["rule"]].assign(share=0.1)
    study = changed({"rules": frame, "holdouts": holds})
    told = numbers.fates(study)
    raw = pd.DataFrame(rows, columns=list(numbers.FATES), index=told.index).assign(met=frame["met"].to_numpy())
    shown = told.map(lambda cell: not isinstance(cell, str))
    assert not (shown & raw.ge(1) & raw.lt(10)[told.columns]).any(axis=None)
    for rule in told.index:
        hidden = raw.loc[rule, list(numbers.FATES)][~shown.loc[rule, list(numbers.FATES)]]
        # Of a row whose sum is told, what is hidden is at least two numbers that together are no small group.
        assert not len(hidden) or not shown.loc[rule, "met"] or (len(hidden) > 1 and hidden.sum() >= 10)
    customers = frame.set_index("rule")["customers"]
    secret = numbers.secret_rules(study)
    untold = customers[secret.index[secret]].sum()
    assert not secret.any() or untold >= 10 or secret.all()
    assert not (customers[secret.index[~secret]] < 10).any()


def test_small_states_are_not_shown_and_cannot_be_had_from_the_moves(changed: Callable[..., Any]) -> None:
    names = list(STATES)
    sizes = pd.DataFrame({"state": names, "customers": [0, 5, 12, 200, 60, 40, 30, 20], "share": 0.1})
    counts = np.full((len(names) + 1, len(names)), 20)
    frame = pd.DataFrame(counts, index=pd.Index([*names, NOT_YET], name="before"), columns=names)
    moved = frame.rename_axis(columns="after").stack().rename("customers").reset_index()
    study = changed({"states": sizes, "moves": moved}, customers=367)
    told = numbers.states(study)["customers"]
    assert told.tolist() == [0, "<10", "hidden", 200, 60, 40, 30, 20]
    shares = numbers.moves(study)
    assert shares[["awaiting second purchase", "growing"]].isna().all(axis=None)
    assert states.read_states(study).startswith("367 customers have bought.")
    assert list(shares.index) == [*names, NOT_YET]


def test_reasons_of_few_are_not_told(changed: Callable[..., Any], step: dict[str, Any]) -> None:
    frame = pd.DataFrame({"reason": [*REASONS, NO_RULE, *UNREACHED.values()], "customers": [0, 4, 80, 0, 30, 0, 12, 0]})
    study = changed({"alone": frame.assign(value=1.0)})
    told = cells(left.alone(study))
    assert "Contacted lately or buy anyway" in told
    assert " 16 " in told
    assert " 4 " not in told
    assert " 12 " not in told
    assert left.said(study) == "80 because it would cost more than it brings and 30 because no rule is for them"
    assert BEYOND not in told


def test_what_stops_customers_is_not_told_by_rule_where_it_is_not_told_of_all(changed: Callable[..., Any]) -> None:
    """14 were contacted lately and 9 buy anyway or cost too much, 23 together: with the 14 the 9 would be told."""
    reasons = {NO_RULE: 177, UNREACHED["most contacts"]: 14, SURE_BUYER: 4, TOO_DEAR: 5}
    alone = pd.DataFrame({"reason": list(reasons), "customers": list(reasons.values()), "value": 1.0})
    frame = caught([(0, 14, 0, 0, 4, 95), (0, 0, 0, 13, 5, 5)])
    passed = pd.DataFrame({"stage": STAGES, "customers": [123, 123, 109, 109]})
    facts = {"customers": 300, "allocation": {"customers": 100}}
    study = changed({"rules": frame, "alone": alone, "passed": passed, "holdouts": pd.DataFrame()}, **facts)
    assert numbers.fates(study)["busy"].tolist() == ["hidden", 0]
    assert rules.read_caught(study).startswith("123 of 300 customers meet the condition of at least one rule. ")
    many = alone.assign(customers=[177, 14, 40, 50])
    told = changed({"rules": frame, "alone": many, "passed": passed, "holdouts": pd.DataFrame()}, **facts)
    assert numbers.fates(told)["busy"].tolist() == [14, 0]


def test_totals_that_differ_by_few_are_not_both_told(changed: Callable[..., Any], step: dict[str, Any]) -> None:
    chosen = step["about"]["allocation"]["customers"]
    passed = step["passed"].assign(customers=chosen + 4)
    frame = step["regret"].copy()
    frame.loc[frame["rule"].str.startswith("everyone"), "customers"] = chosen + 4
    study = changed({"passed": passed, "regret": frame}, customers=chosen + 100)
    assert "some meet the condition of a rule" in rules.read_caught(study)
    assert str(chosen + 4) not in cells(money.regret(study))
    assert "hidden" in cells(money.regret(study))


# The other parts


def test_the_last_unit_of_budget(changed: Callable[..., Any], step: dict[str, Any]) -> None:
    assert "€1 more would bring nothing" in money.read_curve(changed())
    limits, allocation = step["about"]["limits"], step["about"]["allocation"]
    tight = changed(limits=limits | {"budget": 20.0}, allocation=allocation | {"budget_price": 1.5})
    assert "With a budget of €20.00 the last €1 brings €1.50 beyond itself" in money.read_curve(tight)
    busy = changed(allocation=allocation | {"channel_prices": {"telephone": 2.5}})
    assert "One contact more by telephone would bring €2.50." in money.read_curve(busy)
    loose = changed(limits=limits | {"budget": 2000.0})
    assert "The budget of €2,000 is not used up" in money.read_curve(loose)
    assert len(figures.curve(money.curve(tight), 20.0, "EUR", "assumed").lines) == 3


def test_with_half_the_money_the_order_counts(study: Any, step: dict[str, Any]) -> None:
    assert step["halved"]["cost"].iloc[0] <= step["about"]["allocation"]["cost"] / 2
    text = money.read_regret(study)
    assert "with half the money" in text
    assert "going by the risk of leaving €" in text
    drawn = figures.rivals(money.rivals(study), "EUR", "assumed range")
    assert drawn.get_yticklabels()[0].get_text() == "This choice"


@pytest.mark.parametrize(
    ("shows", "told"),
    [
        (1e-6, "the next run will tell whether it pays"),
        (float("nan"), "No action has enough customers"),
        (1e6, "times as many customers"),
    ],
)
def test_what_the_hold_out_will_show(
    changed: Callable[..., Any], step: dict[str, Any], shows: float, told: str
) -> None:
    study = changed({"holdouts": step["holdouts"].assign(shows=shows)})
    assert told in left.read_holdouts(study)
    if shows == 1e-6:
        assert "25.0" in cells(left.holdouts(study))
    nobody = changed({"holdouts": step["holdouts"].assign(share=0.0)})
    assert "will never be known" in left.read_holdouts(nobody)
    assert not left.has_holdouts(nobody)
    assert "held out" not in short.opening(nobody)


def contest(gains: dict[str, float], kind: str = "next") -> pd.DataFrame:
    rows = [
        (kind, name, measure, 0.5 + gain, gain, gain - 0.01 if gain else 0.0, gain + 0.01 if gain else 0.0)
        for name, gain in gains.items()
        for measure in ("recall", "ndcg", "coverage")
    ]
    return pd.DataFrame(rows, columns=["kind", "contender", "measure", "value", "gain", "low", "high"])


def test_the_contest_is_told_with_its_winner_and_its_error(changed: Callable[..., Any]) -> None:
    gains = dict(zip(METHODS, (-0.2, 0.0, 0.003, -0.1, -0.05), strict=True))
    dates = pd.DataFrame(
        {"customers": [200, 180], "novel_customers": [90, 9], "novel": [0.1, 0.2], "basket": [9.0, 8.0], "sold": 302}
    )
    frames = {
        "contest": pd.concat([contest(gains), contest(dict.fromkeys(METHODS, 0.0), "novel")]),
        "contest_dates": dates,
    }
    item = {"level": "category", "winner": "personal top", "novel_winner": "global top", "notes": []}
    study = changed(frames, item=item)
    text = following.read_contest(study)
    assert "on average 50 % of it was on a list of 5 (nDCG 50 %), and no method clearly beats it" in text
    assert "+0.3 points of recall, 90 % interval −0.7 to +1.3" in text
    assert "It is the simplest method that no other clearly beats." in text
    assert "Only 14.7 % of what is bought next is new to the customer" in text
    assert "the personal top list says the same" in following.read_contest(study, "novel")
    assert "−20.0 (−21.0 to −19.0)" in cells(following.contest(study))
    assert "on their next purchase day they bought 8.5 of 302 categories on average" in cells(following.contest(study))
    assert following.is_judged(study, "novel")
    few = changed(frames | {"contest_dates": dates.assign(novel_customers=9)}, item=item)
    assert not following.is_judged(few, "novel")
    won = changed(frames, item=item | {"winner": "factorisation"})
    assert "against the personal top list −5.0 points of recall" in following.read_contest(won)


def test_without_categories_the_page_says_what_is_missing(study: Any) -> None:
    assert not following.is_judged(study)
    assert "transactions.product" in following.why_not(study)


def test_the_figure_of_moves_leaves_out_states_in_which_nobody_is() -> None:
    names = ["new", "steady", "lost"]
    table = pd.DataFrame([[0.0, 0.0, np.nan], [0.0, 0.9, 0.1], [0.0, np.nan, 0.6]], index=names, columns=names)
    drawn = figures.moves(table, "1 March 2020")
    assert [label.get_text() for label in drawn.get_yticklabels()] == ["steady", "lost"]
    assert [label.get_text() for label in drawn.get_xticklabels()] == ["steady", "lost"]
    assert [text.get_text() for text in drawn.texts] == ["90", "10", "·", "60"]
    assert "too few customers" in figures.moves(table * np.nan, "1 March 2020").texts[0].get_text()
