"""The words that conditions of rules are made of."""

import re
from typing import NamedTuple

from .rule_checks import LONGEST

WORDS = ("and", "or", "not", "in", "between", "is", "known", "unknown", "true", "false")
MISSPELT = {"==": "=", "<>": "!=", "=<": "<=", "=>": ">=", "&&": "and", "||": "or", "&": "and", "|": "or", "!": "not"}
"""What other languages write; it is read as ours, and told."""

TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<date>\d{1,4}-\d{1,2}-\d{1,2}(?![\w-]))
      | (?P<number>-?\d+(\.\d+)?(?![\w.]))
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<word>[^\W\d]\w*)
      | (?P<sign><=|>=|!=|==|<>|=<|=>|&&|\|\||[<>=&|!])
      | (?P<mark>[(),])
      | (?P<other>['"].* | [^\s(),<>=!&|'"]+ | .)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word of a condition: kind (a group of `TOKEN`, or end), text, and place from 1."""

    kind: str
    text: str
    at: int

    @property
    def shown(self) -> str:
        """As a message tells it."""
        return "the end" if self.kind == "end" else self.text[:LONGEST]


def tokens(text: str) -> list[Token]:
    """The words of a condition, without the blanks, and an end."""
    found = [Token(str(match.lastgroup), match[0], match.start() + 1) for match in TOKEN.finditer(text)]
    return [token for token in found if token.kind != "blank"] + [Token("end", "", len(text) + 1)]
