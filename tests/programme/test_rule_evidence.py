"""Campaigns whose effect is evidence on a rule: which count, how several are weighed, and what is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from loyalty.action_rules import ActionRule
from loyalty.errors import SettingsError
from loyalty.programme.effect import Design, Effect, Interval
from loyalty.programme.rule_evidence import check_named, measured, tells_of, types_of, unproved

TYPES = {"12": "letter", "13": "letter", "14": "phone", "call 2026-01-05": None}


def rule(name: str = "call", *evidence: str) -> ActionRule:
    return ActionRule(
        name=name, when="orders > 1", channel="telephone", offer="A call", kind="service", evidence=evidence
    )


def effect(estimate: float, error: float, design: Design = "randomised") -> Effect:
    return Effect("Spend", design, "mean", "EUR a customer", Interval.around(estimate, error), error, 100, 100)


def drawn(campaign: str, estimate: float, error: float, **more: Any) -> dict[str, Any]:
    return {"campaign": campaign, "running": False, "effects": {"spend": effect(estimate, error).to_dict()}} | more


def seen(kind: str, name: str, told: Effect) -> dict[str, Any]:
    return {"kind": kind, "name": name, "observed": {"effect": told.to_dict()}}


def known(*randomised: dict[str, Any], observed: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"randomised": list(randomised), "observed": list(observed)}


def test_campaigns_that_a_rule_names_count_beside_its_own() -> None:
    said = known(drawn("call 2026-01-05", 10.0, 1.0), drawn("12", 4.0, 2.0), drawn("14", 99.0, 1.0))
    found = measured(said, [rule("call", "12")], TYPES)["call"]
    # Weights 1 and 1/4: (10 + 4 / 4) / 1.25, with an error of 1 / √1.25.
    assert found.found.estimate == pytest.approx(8.8)
    assert found.standard_error == pytest.approx(1.25**-0.5)
    assert measured(said, [rule("call")], TYPES)["call"].found.estimate == 10.0


def test_a_type_stands_for_all_its_campaigns() -> None:
    said = known(drawn("12", 2.0, 1.0), drawn("13", 4.0, 1.0), drawn("14", 99.0, 1.0))
    assert measured(said, [rule("call", "letter")], TYPES)["call"].found.estimate == pytest.approx(3.0)


def test_a_campaign_that_runs_or_tells_nothing_counts_for_nothing() -> None:
    refused = {"effects": {"spend": effect(5.0, 1.0).refused("too few").to_dict()}}
    said = known(drawn("12", 5.0, 1.0, running=True), drawn("14", 5.0, 1.0) | refused, drawn("13", 5.0, 1.0))
    asked = rule("call", "12", "14")
    assert measured(said, [asked], TYPES) == {}
    assert unproved([asked, rule("other")], {}) == ["call"]


def test_chosen_customers_are_evidence_only_where_named_and_nobody_was_held_out() -> None:
    whole = seen("type", "letter", effect(3.0, 1.0, "difference-in-differences"))
    single = seen("campaign", "Campaign 12", effect(50.0, 1.0, "difference-in-differences"))
    own = seen("campaign", "Campaign call 2026-01-05", effect(70.0, 1.0, "difference-in-differences"))
    said = known(observed=(whole, single, own))
    assert measured(said, [rule("call")], TYPES) == {}
    found = measured(said, [rule("call", "letter")], TYPES)["call"]
    assert (found.found.estimate, found.design) == (3.0, "difference-in-differences")
    # A campaign of a type that is named too is in it already.
    assert measured(said, [rule("call", "letter", "12")], TYPES)["call"].found.estimate == 3.0
    assert measured(said, [rule("call", "12")], TYPES)["call"].found.estimate == 50.0
    held = known(drawn("14", 7.0, 1.0), observed=(whole,))
    assert measured(held, [rule("call", "letter", "14")], TYPES)["call"].found.estimate == 7.0
    nothing = effect(3.0, 1.0, "difference-in-differences").refused("placebo")
    assert measured(known(observed=(seen("type", "letter", nothing),)), [rule("call", "letter")], TYPES) == {}


def test_what_is_named_must_be_there_and_all_of_it_is_told() -> None:
    check_named([rule("call", "12", "phone")], TYPES)
    with pytest.raises(SettingsError, match=r"^actions\.rules: evidence of 'call': expected a campaign") as caught:
        check_named([rule("call", "15", "12"), rule("letter", "post")], TYPES)
    assert len(caught.value.problems) == 2
    first, second = caught.value.problems
    assert "found '15'; there are the campaigns 12, 13, 14, call 2026-01-05; the types letter, phone" in first
    assert "evidence of 'letter'" in second
    assert "found 'post'" in second
    with pytest.raises(SettingsError, match="there is no campaign that has begun"):
        check_named([rule("call", "15")], {})


def test_a_long_list_of_campaigns_is_told_from_the_nearest_on() -> None:
    with pytest.raises(SettingsError, match=r"campaigns C77, .* and 60 more") as caught:
        check_named([rule("call", "c77")], {f"C{number}": None for number in range(100)})
    assert str(caught.value).count("C") == 40


def test_types_are_read_from_the_campaigns() -> None:
    frame = pd.DataFrame({"type": ["letter", None]}, index=pd.Index([12, 13], name="campaign"))
    assert types_of(frame) == {"12": "letter", "13": None}
    assert types_of(frame[[]]) == {"12": None, "13": None}
    assert types_of(None) == {}
    assert not tells_of("13", rule("call", "letter"), types_of(frame))
