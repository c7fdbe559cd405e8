"""Whether the tests of a condition make sense: columns that exist, and values of their kind."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, TypeAlias

from ..errors import SettingsError
from .rule_tree import Among, And, Between, Comparison, Constant, Named, Not, Operand, Or, Tree, Value

Kinds: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""Kind of each column: number, text, truth or date; or the only texts that it can hold."""

CALLED = {"number": "a number", "text": "text in quotes", "truth": "true or false", "date": "a date such as 2026-01-31"}
ORDERED = ("number", "date")
LONGEST = 40
"""Characters of what a message repeats."""


class Mistake(NamedTuple):
    """What is wrong with a condition.

    Attributes
    ----------
    at : character, from 1.
    expected, found : in words.
    """

    at: int
    expected: str
    found: str

    def __str__(self) -> str:
        return f"character {self.at}: expected {self.expected}, found {self.found!r}"


class ConditionError(SettingsError):
    """A condition that cannot be used.

    Attributes
    ----------
    mistakes : all of them, in order of their place.
    """

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(map(str, mistakes)))


def nearest(name: str, columns: Kinds) -> list[str]:
    """All columns, those whose names are most like this one first."""

    def unlike(column: str) -> float:
        return -difflib.SequenceMatcher(None, name.lower(), column.lower()).ratio()

    return sorted(columns, key=lambda column: (unlike(column), column))


def mistakes_of(tree: Tree, columns: Kinds) -> list[Mistake]:
    """Everything in a tree that makes no sense, from left to right."""
    return list(_of(tree, columns))


def _of(tree: Tree, columns: Kinds) -> Iterator[Mistake]:
    match tree:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _of(part, columns)
        case Not(part):
            yield from _of(part, columns)
        case Named() | Constant():
            yield from _truth(tree, columns)
        case Comparison(left, sign, right, at):
            yield from _together((left, right), columns, at)
            yield from _ordered((left, right), sign not in ("=", "!="), columns, at, sign)
        case Between(operand, low, high, at):
            yield from _together((operand, low, high), columns, at)
            yield from _ordered((operand, low, high), True, columns, at, "between")
            if _upside_down(low, high):
                yield Mistake(low.at, "the lower end first", f"{_said(low)} and {_said(high)}")
        case Among(operand, values, at):
            yield from _together((operand, *values), columns, at)
        case _:
            for part in (tree.column,) if hasattr(tree, "column") else ():
                yield from unknown_name(part, columns)


def unknown_name(operand: Operand, columns: Kinds) -> Iterator[Mistake]:
    """A name that is no column."""
    if isinstance(operand, Named) and operand.name not in columns:
        near = nearest(operand.name, columns)
        yield Mistake(operand.at, f"one of the columns {', '.join(near)}", _said(operand))


def kind_of(operand: Operand, columns: Kinds) -> str | None:
    """Kind of an operand; None of a column that there is not."""
    if isinstance(operand, Constant):
        return _of_value(operand.value)
    kind = columns.get(operand.name)
    return "text" if isinstance(kind, tuple) else kind


def _of_value(value: Value) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, str):
        return "text"
    return "date" if isinstance(value, date) else "number"


def _together(operands: tuple[Operand, ...], columns: Kinds, at: int) -> Iterator[Mistake]:
    """Operands that cannot be compared with each other."""
    for operand in operands:
        yield from unknown_name(operand, columns)
    first = next((each for each in operands if isinstance(each, Named)), None)
    if first is None:
        yield Mistake(operands[0].at, "a column in the comparison", _said(operands[0]))
        return
    kind = kind_of(first, columns)
    if kind is None:
        return
    held = columns[first.name]
    for operand in operands:
        if kind_of(operand, columns) not in (kind, None):
            yield Mistake(operand.at, f"{CALLED[kind]} beside {first.name}", _said(operand))
        elif isinstance(held, tuple) and isinstance(operand, Constant) and operand.value not in held:
            yield Mistake(operand.at, f"one of {', '.join(map(repr, held))} beside {first.name}", _said(operand))


def _ordered(operands: tuple[Operand, ...], ordering: bool, columns: Kinds, at: int, sign: str) -> Iterator[Mistake]:
    """Text and truths that are asked which is more."""
    kinds = {kind_of(operand, columns) for operand in operands}
    if ordering and len(kinds) == 1 and kinds & {"text", "truth"}:
        yield Mistake(at, "'=', '!=' or 'in', since only numbers and dates are more or less", sign)


def _truth(operand: Operand, columns: Kinds) -> Iterator[Mistake]:
    """An operand alone that is not true or false."""
    yield from unknown_name(operand, columns)
    if kind_of(operand, columns) not in ("truth", None):
        yield Mistake(operand.at, "a comparison, such as " + _example(operand, columns), _said(operand))


def _example(operand: Operand, columns: Kinds) -> str:
    if isinstance(operand, Constant):
        return "orders >= 2"
    held = columns[operand.name]
    if isinstance(held, tuple):
        return f"{operand.name} = {held[0]!r}"
    return operand.name + {"number": " >= 2", "text": " = 'name'"}.get(held, " >= 2026-01-31")


def _upside_down(low: Operand, high: Operand) -> bool:
    if not (isinstance(low, Constant) and isinstance(high, Constant)):
        return False
    kinds = {_of_value(low.value), _of_value(high.value)}
    return len(kinds) == 1 and kinds <= set(ORDERED) and bool(low.value > high.value)  # type: ignore[operator]


def _said(operand: Operand) -> str:
    if isinstance(operand, Named):
        return operand.name[:LONGEST]
    return (str(operand.value).lower() if isinstance(operand.value, bool) else str(operand.value))[:LONGEST]
