"""Conditions as they come: trees of every form over a few columns, rows for them, and what a row says to a tree."""

from collections.abc import Callable
from datetime import date
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from hypothesis import strategies as st
from loyalty.programme.rule_tree import Among, And, Between, Comparison, Constant, Known, Named, Not, Or, Tree

KINDS = {
    "orders": "number", "spend": "number", "tier": "text", "town": "text", "state": ("new", "steady"), "first": "date",
    "last": "date", "member": "truth", "loud": "truth",
}  # fmt: skip
SIGNS = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "!=": ne}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(-3, 3) | st.integers(-12, 12).map(lambda quarters: quarters / 4),
    "text": st.sampled_from(["", "a", "Gold", "it's", 'say "so"', "and", "–", "1"]),
    "state": st.sampled_from(["new", "steady"]),
    "date": st.dates(date(2024, 2, 27), date(2024, 3, 2)),
    "truth": st.booleans(),
}


def kind_of(name: str) -> str:
    return "state" if name == "state" else str(KINDS[name])


def constants(kind: str) -> st.SearchStrategy[Constant]:
    return VALUES[kind].map(Constant)


@st.composite
def simple(draw: st.DrawFn) -> Tree:
    """One comparison, list, range or question of knowledge, or a truth alone."""
    name = draw(st.sampled_from(sorted(KINDS)))
    kind, column = kind_of(name), Named(name)
    alike = st.sampled_from([other for other in sorted(KINDS) if kind_of(other) == kind]).map(Named)
    operand = constants(kind) | alike
    forms: list[st.SearchStrategy[Tree]] = [
        st.just(Known(column)),
        st.lists(constants(kind), min_size=1, max_size=3).map(lambda values: Among(column, tuple(values))),
        st.builds(Comparison, st.just(column), st.sampled_from(["=", "!="]), operand),
        st.builds(Comparison, constants(kind), st.sampled_from(["=", "!="]), st.just(column)),
    ]
    if kind == "truth":
        forms.append(st.just(column) | st.booleans().map(Constant))
    if kind in ("number", "date"):
        forms.append(st.builds(Comparison, st.just(column), st.sampled_from(sorted(SIGNS)), operand))
        ends = st.lists(VALUES[kind], min_size=2, max_size=2).map(sorted)
        forms.append(ends.map(lambda both: Between(column, Constant(both[0]), Constant(both[1]))))
        forms.append(st.builds(Between, st.just(column), constants(kind), alike))
    return draw(st.one_of(forms))


def several(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[tuple[Tree, ...]]:
    return st.lists(inner, min_size=2, max_size=3).map(tuple)


trees = st.recursive(
    simple(), lambda inner: st.builds(Not, inner) | several(inner).map(And) | several(inner).map(Or), max_leaves=8
)
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | VALUES[kind_of(name)] for name in KINDS}), min_size=1, max_size=8
)


def truth(tree: Tree, row: dict[str, Any]) -> bool | None:
    """What a row says to a tree in Kleene's logic, None where it is unknown."""

    def both(left: Any, right: Any, compare: Callable[[Any, Any], bool]) -> bool | None:
        return None if left is None or right is None else compare(left, right)

    def value(operand: Any) -> Any:
        return operand.value if isinstance(operand, Constant) else row[operand.name]

    match tree:
        case Named() | Constant():
            found = value(tree)
            return None if found is None else bool(found)
        case Comparison(left, sign, right):
            return both(value(left), value(right), SIGNS[sign])
        case Among(operand, values):
            return any_of([both(value(operand), each.value, eq) for each in values])
        case Between(operand, low, high):
            return opposite(any_of([both(value(operand), value(low), lt), both(value(operand), value(high), gt)]))
        case Known(column):
            return row[column.name] is not None
        case Not(part):
            return opposite(truth(part, row))
        case And(parts):
            return opposite(any_of([opposite(truth(part, row)) for part in parts]))
        case Or(parts):
            return any_of([truth(part, row) for part in parts])
    raise AssertionError(tree)


def any_of(said: list[bool | None]) -> bool | None:
    if True in said:
        return True
    return None if None in said else False


def opposite(said: bool | None) -> bool | None:
    return None if said is None else not said
