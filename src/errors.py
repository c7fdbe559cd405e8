"""Errors and warnings that a person has to act on.

Every error carries the exit code that the command line ends with: 1 something failed, 2 the input is
wrong, 3 no answer can be given, 4 another run is at work. The message is one line: what is wrong, where, what was
expected, and what to do.
"""

from collections.abc import Sequence


class LoyaltyError(Exception):
    """Base of all errors that this package raises on purpose."""

    exit_code = 1


class InputError(LoyaltyError):
    """Something that the user gave is wrong, and the user can mend it."""

    exit_code = 2


class SettingsError(InputError):
    """A dataset file or a parameter is wrong.

    Attributes
    ----------
    problems : what is wrong, one by one; the message tells all of it on one line.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message)


class DataError(InputError):
    """The data is not what the dataset file says, or too little to say anything."""


class RefusedError(LoyaltyError):
    """The data is read rightly, but it is too little or too old to say anything, or an answer is needed first."""

    exit_code = 3


class BusyError(LoyaltyError):
    """Another run is at work on the same dataset."""

    exit_code = 4


class OverdueError(LoyaltyError):
    """A run took longer than it was given."""


class EngineError(LoyaltyError):
    """What computes the tables is not installed or does not start."""


class NotebookError(LoyaltyError):
    """A notebook of a report did not run to its end."""


class ConvergenceWarning(UserWarning):
    """A fit stopped early, or the data leaves a parameter undetermined."""
