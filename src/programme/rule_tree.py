"""The conditions of rules as trees: what `rule_language` reads and `rules` turns into a column.

A tree is written back by `written` so that reading it again gives the same tree. Positions, counted in characters from
1, are there for messages and make no difference between trees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

Value: TypeAlias = bool | int | float | str | date
Sign: TypeAlias = Literal["<", "<=", ">", ">=", "=", "!="]


@dataclass(frozen=True)
class Named:
    """The value of a column."""

    name: str
    at: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Constant:
    """A number, text in quotes, a date, true or false."""

    value: Value
    at: int = field(default=1, compare=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and (type(self.value), self.value) == (type(other.value), other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True)
class Comparison:
    """Two operands with a sign between them."""

    left: Operand
    sign: Sign
    right: Operand
    at: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Among:
    """Whether an operand is one of the values."""

    operand: Operand
    values: tuple[Constant, ...]
    at: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Between:
    """Whether an operand lies between two others, both ends included."""

    operand: Operand
    low: Operand
    high: Operand
    at: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Known:
    """Whether a column has a value."""

    column: Named


@dataclass(frozen=True)
class Not:
    """The opposite; of unknown it is unknown."""

    part: Tree


@dataclass(frozen=True)
class And:
    """All of at least two parts."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Or:
    """One or more of at least two parts."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Broken:
    """What could not be read; no tree that is used has one."""


Operand: TypeAlias = Named | Constant
Tree: TypeAlias = Named | Constant | Comparison | Among | Between | Known | Not | And | Or | Broken


def parts(tree: Tree) -> Iterator[Tree]:
    """The tree and everything in it, from left to right."""
    yield tree
    match tree:
        case Comparison(left, _, right):
            yield from (left, right)
        case Among(operand, values):
            yield from (operand, *values)
        case Between(operand, low, high):
            yield from (operand, low, high)
        case Known(column):
            yield column
        case Not(part):
            yield from parts(part)
        case And(inner) | Or(inner):
            for part in inner:
                yield from parts(part)


def columns(tree: Tree) -> list[str]:
    """Names of the columns that a condition looks at, each once, in order of appearance."""
    return list(dict.fromkeys(part.name for part in parts(tree) if isinstance(part, Named)))


def written(tree: Tree) -> str:
    """A tree in the words of the language.

    Examples
    --------
    >>> written(And((Comparison(Named("orders"), ">=", Constant(2)), Not(Known(Named("tier"))))))
    'orders >= 2 and not (tier is known)'
    """
    match tree:
        case Named(name):
            return name
        case Constant(value):
            return _written_value(value)
        case Comparison(left, sign, right):
            return f"{written(left)} {sign} {written(right)}"
        case Among(operand, values):
            return f"{written(operand)} in ({', '.join(map(written, values))})"
        case Between(operand, low, high):
            return f"{written(operand)} between {written(low)} and {written(high)}"
        case Known(column):
            return f"{column.name} is known"
        case Not(part):
            return f"not ({written(part)})"
        case And(inner):
            return " and ".join(map(_inner, inner))
        case Or(inner):
            return " or ".join(map(_inner, inner))
    raise ValueError("a condition that could not be read has no words")


def _inner(part: Tree) -> str:
    """A part of `and` or `or`, in parentheses where it is one of these itself."""
    return f"({written(part)})" if isinstance(part, And | Or) else written(part)


def _written_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        # Without an exponent, which the language does not know, and with all digits.
        return format(value, ".1f") if value.is_integer() else _plain(value)
    return str(value)


def _plain(value: float) -> str:
    from decimal import Decimal

    return format(Decimal(repr(value)), "f")
