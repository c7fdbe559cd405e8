"""Rules evaluated in the engine, against a loop over rows; who is a candidate, and which rules are left out."""

from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
from conditions import KINDS, kind_of, rows, trees, truth
from hypothesis import given, settings
from loyalty.action_rules import ActionRule, Actions, AssumedEffect
from loyalty.errors import SettingsError
from loyalty.programme.default_rules import DEFAULTS
from loyalty.programme.rule_tree import Tree
from loyalty.programme.rules import campaign, candidates, cooling, described, expression, reach, rule_set

AS_OF = date(2024, 7, 1)
TYPES = {
    "number": pa.float64(), "text": pa.string(), "state": pa.string(), "date": pa.date32(), "truth": pa.bool_(),
}  # fmt: skip
SCHEMA = pa.schema([("customer", pa.int64()), *((name, TYPES[kind_of(name)]) for name in KINDS)])


def table_of(given: list[dict[str, Any]]) -> ir.Table:
    numbers = {name for name in KINDS if KINDS[name] == "number"}
    doubled = [
        {name: float(value) if name in numbers and value is not None else value for name, value in row.items()}
        | {"customer": place}
        for place, row in enumerate(given)
    ]
    return ibis.memtable(pa.Table.from_pylist(doubled, schema=SCHEMA))


@settings(max_examples=80)
@given(trees, rows)
def test_the_engine_says_of_every_row_what_a_loop_over_the_rows_says(tree: Tree, given_rows: list[Any]) -> None:
    table = table_of(given_rows)
    # A literal alone is no column of the table.
    said = table.select("customer", said=expression(tree, table) & ibis.literal(True)).order_by("customer")
    assert said.to_pyarrow()["said"].to_pylist() == [truth(tree, row) for row in given_rows]


def rule(name: str, when: str, **more: Any) -> ActionRule:
    return ActionRule.model_validate(
        {"name": name, "when": when, "channel": "e-mail", "offer": "Hello", "kind": "information"} | more
    )


@pytest.fixture
def known() -> ir.Table:
    """Four customers."""
    return ibis.memtable(
        pd.DataFrame(
            {
                "customer": list("abcd"),
                "orders": [1.0, 5.0, 0.0, 9.0],
                "spend": [10.0, None, 30.0, 40.0],
                "state": ["new", "steady", "lost", "steady"],
            }
        )
    )


def pairs(found: ir.Table) -> set[tuple[str, str]]:
    return {(row["customer"], row["rule"]) for row in found.to_pyarrow().to_pylist()}


def test_a_candidate_is_who_meets_a_condition_and_nobody_of_whom_it_is_unknown(known: ir.Table) -> None:
    rules = [rule("rich", "spend >= 30"), rule("poor", "not spend >= 30"), rule("often", "orders > 4")]
    found = candidates(known, rules)
    assert pairs(found) == {("a", "poor"), ("c", "rich"), ("d", "rich"), ("b", "often"), ("d", "often")}
    assert reach(found, rules)["customers"].to_dict() == {"rich": 2, "poor": 1, "often": 2}
    assert set(found.columns) == {"customer", "rule", "orders", "spend", "state"}


def test_a_rule_that_nobody_meets_is_told_with_nobody_and_no_rules_have_no_candidates(known: ir.Table) -> None:
    none = [rule("none", "orders > 100")]
    assert reach(candidates(known, none), none)["customers"].to_dict() == {"none": 0}
    assert pairs(candidates(known, [])) == set()


def test_a_text_is_compared_and_never_run(known: ir.Table) -> None:
    evil = rule("evil", "last_channel = 'x'' or ''1''=''1' or last_channel = '; drop table known --'")
    table = known.mutate(last_channel=ibis.literal("till"))
    assert pairs(candidates(table, [evil])) == set()


def contacts_of(*rows: tuple[str, str, int]) -> ir.Table:
    return ibis.memtable(
        pd.DataFrame(
            [(customer, campaign, AS_OF - timedelta(days=ago)) for customer, campaign, ago in rows],
            columns=["customer", "campaign", "day"],
        )
    )


def test_a_rule_does_not_reach_a_customer_again_within_its_cool_down(known: ir.Table) -> None:
    rules = [rule("x", "orders >= 0", cool_down_days=30), rule("y", "orders >= 0", cool_down_days=0)]
    # Contacted today, yesterday, 29 and 30 days ago; and one of another campaign.
    told = contacts_of(("a", "x", 0), ("b", "x", 1), ("c", "x", 29), ("d", "x", 30), ("d", "z", 1), ("a", "y", 1))
    told = told.union(contacts_of(("d", campaign(rules[0], AS_OF - timedelta(days=31)), 31)))
    found = pairs(candidates(known, rules, told, AS_OF))
    # What is dated today is of this very run, which gives the same list when it is run again.
    assert {who for who, name in found if name == "x"} == {"a", "d"}
    assert {who for who, name in found if name == "y"} == set("abcd")
    assert pairs(cooling(told, rules, AS_OF)) == {("b", "x"), ("c", "x")}


def test_a_campaign_of_an_earlier_run_is_known_by_its_date(known: ir.Table) -> None:
    first = rule("x", "orders >= 0", cool_down_days=30)
    told = contacts_of(("a", campaign(first, AS_OF - timedelta(days=7)), 7), ("b", "x again 2024-06-24", 7))
    assert pairs(cooling(told, [first], AS_OF)) == {("a", "x")}


def test_rules_of_other_months_are_left_out_and_the_rest_come_by_priority(known: ir.Table) -> None:
    rules = (
        rule("low", "orders > 1", priority=1),
        rule("winter", "orders > 1", months=[12, 1]),
        rule("high", "orders > 1", priority=500, months=[7]),
    )
    chosen = rule_set(Actions(rules=rules), known, AS_OF)
    assert [each.name for each in chosen.rules] == ["high", "low"]
    assert [(each.rule, each.reason) for each in chosen.left_out] == [("winter", "it applies in other months: 1, 12")]
    assert not chosen.default


def test_rules_of_the_file_that_lack_a_column_are_refused_all_at_once(known: ir.Table) -> None:
    rules = (rule("a", "tier = 'Gold' and clv > 1"), rule("b", "orders > 1"), rule("c", "days_to_birthday < 3"))
    told = r"'a' looks at tier, which needs programme\.tiers, clv, .*'c' looks at .*customers\.birthday; add what"
    with pytest.raises(SettingsError, match=told):
        rule_set(Actions(rules=rules), known, AS_OF)


def test_default_rules_that_lack_a_column_are_left_out_and_said(known: ir.Table) -> None:
    chosen = rule_set(Actions(), known.mutate(overdue=ibis.literal(3.0)), AS_OF)
    assert chosen.default
    assert [each.name for each in chosen.rules] == ["second purchase", "overdue"]
    reasons = {each.rule: each.reason for each in chosen.left_out}
    assert set(reasons) == {each.name for each in DEFAULTS} - {"second purchase", "overdue"}
    assert reasons["birthday"] == "it looks at days_to_birthday, which needs customers.birthday"
    assert reasons["favourite on offer"].endswith("which needs products.category and actions.offers")


def test_of_two_keys_only_the_one_that_is_missing_is_told(known: ir.Table) -> None:
    chosen = rule_set(Actions(), known.mutate(favourite_category=ibis.literal("wine")), AS_OF)
    reasons = {each.rule: each.reason for each in chosen.left_out}
    assert reasons["favourite on offer"] == "it looks at favourite_on_offer, which needs actions.offers"


def test_no_default_rule_gives_a_discount_and_each_says_that_its_effect_is_assumed() -> None:
    table = described(DEFAULTS)
    assert "discount" not in set(table["kind"])
    assert (table["reward"] == 0).all()
    assert (table["assumed_low"] <= table["assumed_high"]).all()
    assert table.index.is_unique
    assert table["priority"].is_unique


def test_a_version_changes_with_any_part_of_a_rule() -> None:
    first = rule("a", "orders > 1", assumed=AssumedEffect(low=0.0, high=0.1))
    same = rule("a", "orders > 1", assumed={"low": 0.0, "high": 0.1})
    others = [rule("a", "orders > 2"), rule("a", "orders > 1", cost=0.1), rule("a", "orders > 1")]
    assert first.version == same.version
    assert len({each.version for each in [first, *others]}) == 4
