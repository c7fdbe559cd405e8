"""How numbers are written for readers: the mark before decimals, and what stands between thousands.

Code writes `1,234.5`; what a reader sees goes through `write`, in the format of the dataset that was opened last. It is
one for the process, as a kernel serves one notebook, and a notebook one dataset.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

NumberFormat = Literal["1,234.5", "1.234,5", "1 234,5", "1'234.5"]

DEFAULT: NumberFormat = "1,234.5"
MARKS: dict[str, tuple[str, str]] = {
    "1,234.5": (",", "."),
    "1.234,5": (".", ","),
    "1 234,5": ("\u202f", ","),  # narrow, and no line ends at it
    "1'234.5": ("’", "."),
}
"""Between thousands and before decimals, by format."""

_now: NumberFormat = DEFAULT


def use(number_format: NumberFormat) -> None:
    """Write numbers in a format from now on."""
    global _now
    _now = number_format


@contextmanager
def of(number_format: NumberFormat) -> Iterator[None]:
    """Write numbers in a format inside the `with` block.

    Examples
    --------
    >>> with of("1.234,5"):
    ...     write("1,234.5")
    '1.234,5'
    >>> write("1,234.5")
    '1,234.5'
    """
    before = _now
    use(number_format)
    try:
        yield
    finally:
        use(before)


def write(number: str) -> str:
    """A number that code wrote, as its readers do; it must not come here twice.

    Examples
    --------
    >>> with of("1'234.5"):
    ...     write("1,234.5 %")
    '1’234.5 %'
    """
    thousands, decimal = MARKS[_now]
    return number.translate({ord(","): thousands, ord("."): decimal})
