"""What names of columns mean, in six languages.

A name is cut into the words that it is made of, and each word stands for a concept: `KundenNr` is German `kunden`, a
customer, and `nr`, a number. Words are written without accents and in small letters; German umlauts in both ways.
"""

import functools
import re
import unicodedata
from typing import NamedTuple

from .words import FILLERS, MONEY, WORDS

_SIGNS = {sign: code for code, signs in MONEY.items() for sign in signs.split()}
_SYMBOLS = [sign for sign in _SIGNS if not sign.isalpha()]
_FILLERS = frozenset(FILLERS.split())
_JOINTS = ("", "s", "n", "en", "es", "e", "er")
"""What stands between the parts of a German compound, or ends a plural."""
_LONG = 4
"""Letters from which on a word is recognised inside of another."""


class Meaning(NamedTuple):
    """What the words of a column's name say.

    Attributes
    ----------
    concepts : such as `customer` and `id`.
    words : the word that stands for each concept, as it is in the vocabulary.
    languages : those that know every word of a concept, for each concept.
    unknown : how many words are in no vocabulary.
    money : the currency that the name holds, such as `EUR`; None without any.
    """

    concepts: frozenset[str]
    words: dict[str, str]
    languages: dict[str, tuple[str, ...]]
    unknown: int
    money: str | None


def meaning(name: str) -> Meaning:
    """Read a column's name.

    Examples
    --------
    >>> sorted(meaning("KundenNr").concepts), sorted(meaning("实付金额(元)").concepts), meaning("montant_eur").money
    (['customer', 'id'], ['amount', 'paid'], 'EUR')
    """
    words: dict[str, str] = {}
    languages: dict[str, tuple[str, ...]] = {}
    unknown = 0
    money = money_in(name)
    for token in tokens(name.replace("R$", " ")):
        if token in _SIGNS:
            continue
        parts = _split(token)
        unknown += not parts and token not in _FILLERS and not token.isdigit()
        for part in parts:
            for concept, spoken in _KNOWN[part].items():
                words.setdefault(concept, part)
                languages.setdefault(concept, spoken)
    return Meaning(frozenset(words), words, languages, unknown, money)


def money_in(text: str) -> str | None:
    """The currency that a name or an amount mentions.

    Examples
    --------
    >>> money_in("R$ 12,50"), money_in("amount_eur"), money_in("实付金额(元)"), money_in("Europe")
    ('BRL', 'EUR', 'CNY', None)
    """
    for symbol in sorted(_SYMBOLS, key=len, reverse=True):
        if symbol in text.lower():
            return _SIGNS[symbol]
    return next((_SIGNS[token] for token in tokens(text) if token in _SIGNS), None)


def tokens(name: str) -> list[str]:
    """The words of a name, without accents and in small letters.

    Examples
    --------
    >>> tokens("Nº Cliente"), tokens("dateDeCommande"), tokens("会员卡号ID")
    (['no', 'cliente'], ['date', 'de', 'commande'], ['会员卡号', 'id'])
    """
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    words = re.findall(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+|\d+", plain)
    return [part for word in words for part in ([word.lower()] if word.lower() in _KNOWN else _camel(word))]


def _camel(word: str) -> list[str]:
    """The parts of a word that begin with a capital, in small letters."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", word).lower().split()


def _catalogue() -> dict[str, dict[str, tuple[str, ...]]]:
    """Word → concept → languages that use it so."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for language, concepts in WORDS.items():
        for concept, words in concepts.items():
            for word in words.split():
                known = found.setdefault(word, {})
                known[concept] = (*known.get(concept, ()), language)
    return found


_KNOWN = _catalogue()


@functools.cache
def _split(token: str) -> tuple[str, ...]:
    """The words of the vocabulary that a token is made of; none if it holds none."""
    if token in _KNOWN:
        return (token,)
    if "\u3400" <= token[0] <= "\u9fff":
        return _scan(token, 1)
    return _compound(token) or _scan(token, _LONG)


def _compound(token: str) -> tuple[str, ...]:
    """The words that make up a token without a rest, as few as can be: `kundennr` is `kunden` and `nr`."""
    best: tuple[str, ...] = ()
    for end in range(len(token), 1, -1):
        if token[:end] not in _KNOWN:
            continue
        for joint in _JOINTS:
            if not token[end:].startswith(joint):
                continue
            rest = token[end + len(joint) :]
            further = _compound(rest) if rest else ()
            if (not rest or further) and (not best or len(further) + 1 < len(best)):
                best = (token[:end], *further)
    return best


def _scan(token: str, shortest: int) -> tuple[str, ...]:
    """The longest words in a token from left to right, skipping what is none."""
    found, at = [], 0
    while at < len(token):
        ends = (end for end in range(len(token), at + shortest - 1, -1) if token[at:end] in _KNOWN)
        end = next(ends, None)
        if end is not None:
            found.append(token[at:end])
        at = end if end is not None else at + 1
    return tuple(found)
