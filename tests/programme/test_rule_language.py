"""Conditions: read as they are meant, written back, and every mistake told with its place."""

import re
import string

import pytest
from conditions import KINDS, trees
from hypothesis import example, given, settings
from hypothesis import strategies as st
from loyalty.programme.rule_checks import ConditionError, Mistake
from loyalty.programme.rule_language import DEEPEST, LONGEST, parse
from loyalty.programme.rule_tree import And, Comparison, Constant, Known, Named, Not, Or, Tree, columns, written


def more(name: str, value: object) -> Comparison:
    return Comparison(Named(name), ">", Constant(value))  # type: ignore[arg-type]


def read(text: str) -> tuple[Tree | None, list[Mistake]]:
    """What a text is read as, or its mistakes."""
    try:
        return parse(text, KINDS), []
    except ConditionError as error:
        return None, error.mistakes


@given(trees)
def test_a_tree_that_is_written_and_read_is_the_same_tree(tree: Tree) -> None:
    assert parse(written(tree), KINDS) == tree


def test_not_binds_closer_than_and_and_that_closer_than_or() -> None:
    tree = parse("not member and orders > 1 or spend > 2.0 AND orders > 3", KINDS)
    assert tree == Or(
        (And((Not(Named("member")), more("orders", 1))), And((more("spend", 2.0), more("orders", 3)))),
    )
    assert parse("not (member and (orders > 1 or loud))", KINDS) == Not(
        And((Named("member"), Or((more("orders", 1), Named("loud")))))
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("tier is unknown", "not (tier is known)"),
        ("tier is not unknown", "tier is known"),
        ("tier is not known", "not (tier is known)"),
        ("orders not in (1, 2)", "not (orders in (1, 2))"),
        ("orders not between 1 and 2 and loud", "not (orders between 1 and 2) and loud"),
        ('town = "it\'s ""so"""', "town = 'it''s \"so\"'"),
        ("first > 2024-02-29", "first > 2024-02-29"),
        ("orders>-1", "orders > -1"),
        ("2 <= orders", "2 <= orders"),
        ("spend >= orders", "spend >= orders"),
        ("((true))", "true"),
    ],
)
def test_what_can_be_said_in_two_ways_is_the_same(said: str, meant: str) -> None:
    assert written(parse(said, KINDS)) == meant


def test_a_condition_names_its_columns_once_each() -> None:
    tree = parse("orders > 1 and (tier is known or spend between 1 and orders) and not orders in (3)", KINDS)
    assert columns(tree) == ["orders", "tier", "spend"]


@pytest.mark.parametrize(
    ("condition", "at", "expected", "found"),
    [
        ("", 1, "a condition", "the end"),
        ("   ", 4, "a condition", "the end"),
        ("ordrs > 2", 1, "one of the columns orders, ", "ordrs"),
        ("Orders > 2", 1, "one of the columns orders, ", "Orders"),
        ("orders >", 9, "a column or a value", "the end"),
        ("orders > > 2", 10, "a column or a value", ">"),
        ("orders == 2", 8, "'=' in its place", "=="),
        ("orders => 2", 8, "'>=' in its place", "=>"),
        ("orders <> 2", 8, "'!=' in its place", "<>"),
        ("loud && member", 6, "'and' in its place", "&&"),
        ("loud || member", 6, "'or' in its place", "||"),
        ("!loud", 1, "'not' in its place", "!"),
        ("orders", 1, "a comparison, such as orders >= 2", "orders"),
        ("state", 1, "a comparison, such as state = 'new'", "state"),
        ("5", 1, "a comparison", "5"),
        ("tier = 3", 8, "text in quotes beside tier", "3"),
        ("orders = 'two'", 10, "a number beside orders", "two"),
        ("orders = true", 10, "a number beside orders", "true"),
        ("first > '2024-01-31'", 9, "a date such as 2026-01-31 beside first", "2024-01-31"),
        ("loud = 1", 8, "true or false beside loud", "1"),
        ("orders > tier", 10, "a number beside orders", "tier"),
        ("state = 'old'", 9, "one of 'new', 'steady' beside state", "old"),
        ("state in ('new', 'old')", 18, "one of 'new', 'steady' beside state", "old"),
        ("tier < 'Gold'", 6, "'=', '!=' or 'in', since only numbers and dates are more or less", "<"),
        ("loud >= member", 6, "'=', '!=' or 'in'", ">="),
        ("tier between 'a' and 'b'", 6, "'=', '!=' or 'in'", "between"),
        ("orders between 5 and 1", 16, "the lower end first", "5 and 1"),
        ("orders between 5", 17, "'and' and the upper end", "the end"),
        ("orders in 1, 2", 11, "'(' and a list of values", "1"),
        ("orders in (1, 2", 16, "',' or ')'", "the end"),
        ("orders in ()", 12, "a number, text in quotes, a date, true or false", ")"),
        ("orders in (1, spend)", 15, "a value, not a column", "spend"),
        ("orders not > 2", 12, "'in' or 'between'", ">"),
        ("tier is nice", 9, "'known' or 'unknown'", "nice"),
        ("5 is known", 1, "a column before 'is'", "5"),
        ("1 = 1", 1, "a column in the comparison", "1"),
        ("(loud", 6, "')' for the parenthesis at character 1", "the end"),
        ("loud)", 5, "a parenthesis that was opened", ")"),
        ("loud member", 6, "'and', 'or' or the end", "member"),
        ("orders 5", 8, "a sign such as '=' or '>='", "5"),
        ("(loud member)", 7, "'and', 'or' or ')'", "member"),
        ("orders > 30%", 12, "'and', 'or' or the end", "%"),
        ("spend > 1e5", 9, "a column or a value", "1e5"),
        ("spend > 1,000", 10, "'and', 'or' or the end", ","),
        ("spend > 1234567890123456", 9, "a number of at most 15 signs", "1234567890123456"),
        ("tier = 'Gold", 8, "a quote at the end of the text", "'Gold"),
        ("first > 2026-02-30", 9, "a date that there is", "2026-02-30"),
        ("first > 2026-1-5", 9, "a date that there is, such as 2026-01-31", "2026-1-5"),
        ("not", 4, "a column or a value", "the end"),
        ("max(orders) > 2", 4, "a sign such as '=' or '>='", "("),
        ("orders.real > 2", 7, "a sign such as '=' or '>='", ".real"),
        ("orders + 1 > 2", 8, "a sign such as '=' or '>='", "+"),
    ],
)
def test_a_mistake_has_its_place_what_was_expected_and_what_was_found(
    condition: str, at: int, expected: str, found: str
) -> None:
    with pytest.raises(ConditionError, match=rf"character {at}: expected {re.escape(expected)}.*") as caught:
        parse(condition, KINDS)
    (told,) = [mistake for mistake in caught.value.mistakes if mistake.at == at]
    assert told.found == found


def test_all_mistakes_of_a_condition_are_told_at_once_in_their_order() -> None:
    condition = "ordrs > 2 and tier > 'Gold' or (state = 'old' and spend => 'x') and not first = 2024-13-01 and )"
    with pytest.raises(ConditionError, match="; ") as caught:
        parse(condition, KINDS)
    assert [mistake.at for mistake in caught.value.mistakes] == [1, 20, 41, 57, 60, 81, 96]


def test_after_what_cannot_be_read_the_reader_goes_on() -> None:
    with pytest.raises(ConditionError, match="character") as caught:
        parse("orders ? (3 or 4) and stat = 'new' and (spend ! 3 or member = 2)", KINDS)
    assert [mistake.found for mistake in caught.value.mistakes] == ["?", "stat", "!", "3", "2"]


@pytest.mark.parametrize("many", [DEEPEST - 1, DEEPEST, 900, 10_000])
@pytest.mark.parametrize(("before", "after"), [("(", ")"), ("not ", ""), ("not(", ")"), ("(", "")])
def test_no_depth_breaks_the_reader(many: int, before: str, after: str) -> None:
    condition = before * many + "loud" + after * many
    levels = many * (2 if before == "not(" else 1)
    if levels < DEEPEST and (after or before == "not "):
        assert columns(parse(condition, KINDS)) == ["loud"]
        return
    with pytest.raises(ConditionError, match=rf"at most ({DEEPEST} parentheses|{LONGEST} characters)|expected '\)'"):
        parse(condition, KINDS)


def test_a_condition_may_be_long_without_being_deep() -> None:
    tree = parse(" or ".join(["orders = 1"] * 140), KINDS)
    assert isinstance(tree, Or)
    assert len(tree.parts) == 140


@given(st.text() | st.binary().map(lambda given: given.decode("latin-1")))
@example("\x00")
@example("'")
@example("- 1")
def test_any_text_is_a_condition_or_a_mistake(text: str) -> None:
    tree, mistakes = read(text)
    assert (tree is None) == bool(mistakes)
    assert all(1 <= mistake.at <= len(text) + 1 for mistake in mistakes)
    assert tree is None or parse(written(tree), KINDS) == tree


WORDS = [
    *"()<>=!,&|+-.;'\"", "and", "or", "not", "in", "between", "is", "known", "unknown", "true", "orders", "tier",
    "first", "loud", "nobody", "1", "2.5", "'a'", "2024-01-31", "<=", "==", "__class__",
]  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_words_in_any_order_are_a_condition_or_a_mistake(text: str) -> None:
    tree, mistakes = read(text)
    assert len({mistake.at for mistake in mistakes}) == len(mistakes)
    if tree is not None:
        assert parse(written(tree), KINDS) == tree
        assert set(columns(tree)) <= set(KINDS)


def test_a_message_is_short_whatever_was_given() -> None:
    with pytest.raises(ConditionError, match="character 10") as caught:
        parse("orders > " + string.ascii_letters * 20, KINDS)
    assert max(len(str(mistake)) for mistake in caught.value.mistakes) < 200


def test_a_test_of_knowledge_is_never_unknown() -> None:
    assert parse("tier is known", KINDS) == Known(Named("tier"))
