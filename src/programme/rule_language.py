"""The language of the conditions of rules, read by recursive descent.

=============  =====================================================================================================
condition      `overdue >= 2 and (tier = 'Gold' or not favourite_on_offer)`
comparison     `<`, `<=`, `>`, `>=`, `=`, `!=` between a column and a value, or between two columns
list, range    `state in ('slipping', 'lapsed')`, `orders not in (1, 2)`, `spend between 100 and 200`, ends included
unknown        `tier is known`, `tier is unknown`
values         `12`, `-0.5`, `'text'` or `"text"` (a quote in it is doubled), `2026-01-31`, `true`, `false`
=============  =====================================================================================================

`not` binds closer than `and`, and that closer than `or`. A comparison with a value that is unknown is itself unknown;
`and`, `or` and `not` follow Kleene's logic (unknown or true is true), and a rule applies only where its condition is
true. Nothing is called and nothing evaluated: what is not in this table is a mistake. After one the reader goes on at
the next `and`, `or` or closing parenthesis, so that all mistakes of a condition are told at once.
"""

from __future__ import annotations

from datetime import date
from typing import cast

from .rule_checks import ConditionError, Kinds, Mistake, kind_of, mistakes_of, unknown_name
from .rule_tree import Among, And, Between, Broken, Comparison, Constant, Known, Named, Not, Operand, Or, Sign, Tree
from .rule_words import MISSPELT, WORDS, Token, tokens

LONGEST = 2000
"""Characters of a condition."""
MOST_DIGITS = 15
"""Signs of a number: so many digits a double tells apart."""
DEEPEST = 40
"""Parentheses and `not` inside each other."""


def parse(text: str, columns: Kinds) -> Tree:
    """Read a condition.

    Parameters
    ----------
    text : of the condition.
    columns : kind of each column that there is: number, text, truth or date; or the texts that a column can hold.

    Raises
    ------
    ConditionError
        With all of its mistakes, if there are any.

    Examples
    --------
    >>> parse("orders >= 2 and tier is unknown", {"orders": "number", "tier": "text"}).parts[1]
    Not(part=Known(column=Named(name='tier', at=17)))
    """
    if len(text) > LONGEST:
        raise ConditionError([Mistake(1, f"at most {LONGEST} characters", f"{len(text)}")])
    reader = _Reader(text, columns)
    tree = reader.whole()
    # What follows from a mistake at the same place is none of its own.
    found = {mistake.at: mistake for mistake in reversed([*reader.mistakes, *mistakes_of(tree, columns)])}
    if found:
        raise ConditionError(sorted(found.values()))
    return tree


class _TooDeepError(Exception):
    """More inside each other than `DEEPEST`."""


class _UnreadableError(Exception):
    """What stands here is no test; the mistake is told already."""


class _Reader:
    """One condition while it is read."""

    def __init__(self, text: str, columns: Kinds) -> None:
        self.tokens = tokens(text)
        self.columns = columns
        self.place = self.depth = 0
        self.mistakes: list[Mistake] = []

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        """The next word, which is left behind unless it is the end."""
        token = self.next
        self.place += token.kind != "end"
        return token

    def tell(self, expected: str, token: Token) -> None:
        self.mistakes.append(Mistake(token.at, expected, token.shown))

    def is_word(self, *words: str) -> bool:
        """Whether one of these words comes next, or what other languages write for it."""
        token = self.next
        if token.kind == "sign" and MISSPELT.get(token.text) in words:
            self.tell(f"{MISSPELT[token.text]!r} in its place", token)
            self.tokens[self.place] = token = token._replace(kind="word", text=MISSPELT[token.text])
        return token.kind == "word" and token.text.lower() in words

    def whole(self) -> Tree:
        """The whole condition."""
        if self.next.kind == "end":
            self.tell("a condition", self.next)
            return Broken()
        found: list[Tree] = []
        try:
            while self.next.kind != "end":
                found.append(self.either())
                while self.next.text == ")":
                    self.tell("a parenthesis that was opened", self.take())
                if self.next.kind != "end" and not self.is_word("and", "or"):
                    self.tell("'and', 'or' or the end", self.next)
                    self.skip()
                self.place += self.is_word("and", "or")
        except _TooDeepError:
            self.tell(f"at most {DEEPEST} parentheses and 'not' inside each other", self.next)
            return Broken()
        return found[0] if len(found) == 1 else Or(tuple(found))

    def either(self) -> Tree:
        parts = [self.both()]
        while self.is_word("or"):
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self) -> Tree:
        parts = [self.single()]
        while self.is_word("and"):
            self.take()
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def single(self) -> Tree:
        """A test, its opposite, or a condition in parentheses."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise _TooDeepError
        try:
            if self.is_word("not"):
                self.take()
                return Not(self.single())
            if self.next.text == "(":
                return self.inside()
            return self.test()
        except _UnreadableError:
            self.skip()
            return Broken()
        finally:
            self.depth -= 1

    def inside(self) -> Tree:
        opened = self.take()
        tree = self.either()
        if self.next.text != ")" and self.next.kind != "end":
            self.tell("'and', 'or' or ')'", self.next)
            self.skip()
        if self.next.text == ")":
            self.take()
        else:
            self.tell(f"')' for the parenthesis at character {opened.at}", self.next)
        return tree

    def skip(self) -> None:
        """Go on to where a condition can continue; what is in parentheses is passed as a whole."""
        depth = 0
        while self.next.kind != "end":
            if depth == 0 and (self.next.text == ")" or self.next.text.lower() in ("and", "or")):
                return
            depth += {"(": 1, ")": -1}.get(self.take().text, 0)

    def test(self) -> Tree:
        operand = self.operand()
        token = self.next
        if token.kind == "sign" and MISSPELT.get(token.text) not in ("and", "or", "not"):
            return Comparison(operand, self.sign(), self.operand(), token.at)
        if self.is_word("is"):
            return self.known(operand)
        if self.is_word("not"):
            self.take()
            if not self.is_word("in", "between"):
                self.tell("'in' or 'between'", self.next)
                raise _UnreadableError
            return Not(self.test_of(operand))
        return self.test_of(operand)

    def test_of(self, operand: Operand) -> Tree:
        token = self.next
        if self.is_word("in"):
            self.take()
            return Among(operand, self.values(), token.at)
        if self.is_word("between"):
            self.take()
            low = self.operand()
            if not self.is_word("and"):
                self.tell("'and' and the upper end", self.next)
                raise _UnreadableError
            self.take()
            return Between(operand, low, self.operand(), token.at)
        return self.alone(operand)

    def alone(self, operand: Operand) -> Operand:
        """An operand without a test: a truth, or what is told later, unless something else follows."""
        token = self.next
        ends = token.kind == "end" or token.text == ")" or self.is_word("and", "or")
        if ends or kind_of(operand, self.columns) == "truth":
            return operand
        self.mistakes += unknown_name(operand, self.columns)
        self.tell("a sign such as '=' or '>='", token)
        raise _UnreadableError

    def sign(self) -> Sign:
        token = self.take()
        if token.text in MISSPELT:
            self.tell(f"{MISSPELT[token.text]!r} in its place", token)
        return cast("Sign", MISSPELT.get(token.text, token.text))

    def known(self, operand: Operand) -> Tree:
        self.take()
        opposite = self.is_word("not")
        self.place += opposite
        if not self.is_word("known", "unknown"):
            self.tell("'known' or 'unknown'", self.next)
            raise _UnreadableError
        opposite ^= self.take().text.lower() == "unknown"
        if isinstance(operand, Constant):
            self.mistakes.append(Mistake(operand.at, "a column before 'is'", str(operand.value)))
            return Broken()
        return Not(Known(operand)) if opposite else Known(operand)

    def values(self) -> tuple[Constant, ...]:
        """A list of values in parentheses."""
        if self.next.text != "(":
            self.tell("'(' and a list of values", self.next)
            raise _UnreadableError
        self.take()
        found = [self.value()]
        while self.next.text == ",":
            self.take()
            found.append(self.value())
        if self.next.text != ")":
            self.tell("',' or ')'", self.next)
            raise _UnreadableError
        self.take()
        return tuple(found)

    def value(self) -> Constant:
        operand = self.operand("a number, text in quotes, a date, true or false")
        if isinstance(operand, Named):
            self.mistakes.append(Mistake(operand.at, "a value, not a column", operand.name))
            return Constant(False, operand.at)
        return operand

    def operand(self, expected: str = "a column or a value") -> Operand:
        token = self.next
        match token.kind:
            case "number":
                return self.number()
            case "text":
                quote = token.text[0]
                return Constant(token.text[1:-1].replace(quote * 2, quote), self.take().at)
            case "date":
                return self.day()
            case "word" if token.text.lower() in ("true", "false"):
                return Constant(token.text.lower() == "true", self.take().at)
            case "word" if token.text.lower() not in WORDS:
                return Named(token.text, self.take().at)
            case "other" if token.text[0] in "'\"":
                expected = "a quote at the end of the text"
                self.take()
        self.tell(expected, token)
        raise _UnreadableError

    def number(self) -> Constant:
        token = self.take()
        if len(token.text) > MOST_DIGITS:
            self.tell(f"a number of at most {MOST_DIGITS} signs", token)
            return Constant(0, token.at)
        return Constant(float(token.text) if "." in token.text else int(token.text), token.at)

    def day(self) -> Constant:
        token = self.take()
        try:
            return Constant(date.fromisoformat(token.text), token.at)
        except ValueError:
            self.tell("a date that there is, such as 2026-01-31", token)
            return Constant(date.max, token.at)
