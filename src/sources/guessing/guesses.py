"""What is guessed of a log's columns: candidates for each role, with the evidence in words."""

from dataclasses import dataclass, field
from typing import NamedTuple

from .dates import TimeReading
from .profile import Profile
from .vocabulary import Meaning

SURE, LIKELY = 0.8, 0.5


@dataclass(frozen=True)
class Candidate:
    """A column that may have a role.

    Attributes
    ----------
    column : its name.
    score : from 0 to 1.
    evidence : in words.
    doubt : why it cannot be taken without being asked about; empty if it can.
    times : the column that it must be multiplied by, where it is the price of one piece.
    once : whether it is a total that stands on one line of each order only.
    """

    column: str
    score: float
    evidence: tuple[str, ...]
    doubt: str = ""
    times: str | None = None
    once: bool = False

    @property
    def confidence(self) -> str:
        """The score in a word."""
        return "high" if self.score >= SURE else "medium" if self.score >= LIKELY else "low"


class Guess(NamedTuple):
    """What is known of a role.

    Attributes
    ----------
    role : key of `[transactions]`.
    candidates : the best first.
    chosen : columns that are taken; none where a person has to decide.
    """

    role: str
    candidates: tuple[Candidate, ...]
    chosen: tuple[str, ...]

    @property
    def undecided(self) -> bool:
        """Whether there are candidates, and none is taken."""
        return bool(self.candidates) and not self.chosen

    def take(self, column: str) -> "Guess":
        """The same with a column that a person chose."""
        return self._replace(chosen=(column,))


@dataclass(frozen=True)
class Guesses:
    """What is known of a log.

    Attributes
    ----------
    profiles : column → what it holds.
    meanings : column → what its name says.
    roles : role → guess; a role without a candidate is not in it.
    language : of the names, such as `de`.
    """

    profiles: dict[str, Profile]
    meanings: dict[str, Meaning]
    language: str
    roles: dict[str, Guess] = field(default_factory=dict)

    def column(self, role: str) -> str | None:
        """The column of a role: the one that is taken, else the best candidate."""
        guess = self.roles.get(role)
        return None if guess is None else (guess.chosen or (guess.candidates[0].column,))[0]

    def reading(self) -> TimeReading | None:
        """How the times of the log are written."""
        column = self.column("time")
        return None if column is None else self.profiles[column].times
