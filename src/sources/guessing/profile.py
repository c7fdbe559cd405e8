"""What the values of a column say: whether they are times, numbers or neither."""

from dataclasses import dataclass

import pandas as pd

from ..values import MISSING
from .dates import TimeReading, as_times, read_counts, read_times
from .writing import ENOUGH, NumberReading, read_numbers


@dataclass(frozen=True)
class Profile:
    """A column of the sample.

    Attributes
    ----------
    name : of the column.
    values : as text, stripped; null where empty or marked as missing.
    reading : of its numbers; None if the column holds none.
    times : None if the column holds no times.
    filled : share of values.
    distinct : different values.
    """

    name: str
    values: pd.Series
    reading: NumberReading | None
    times: TimeReading | None
    filled: float
    distinct: int

    @property
    def numbers(self) -> pd.Series | None:
        """The values as numbers, float64, null where one is none; None if the column holds no numbers."""
        return None if self.reading is None else self.reading.values

    @property
    def dated(self) -> bool:
        """Whether it holds times that this package reads, and that can be nothing else."""
        return self.times is not None and not self.times.obstacle and not self.times.counted

    @property
    def unique(self) -> bool:
        """Whether every row has another value."""
        return self.distinct > 1 and self.distinct == int(self.values.count())

    @property
    def whole(self) -> bool:
        """Whether it holds numbers, all of them whole."""
        return self.numbers is not None and bool((self.numbers.dropna() % 1 == 0).all())

    @property
    def personal(self) -> bool:
        """Whether the values look like e-mail addresses or telephone numbers."""
        first = self.values.dropna().head(1000)
        looks = first.str.fullmatch(r"[^@\s]+@[^@\s]+\.\w+|\+[\d ()/-]{8,}|1[3-9]\d{9}|0\d{2,4}[ /-]\d{5,}")
        return len(first) > 0 and float(looks.mean()) >= ENOUGH

    def days(self) -> pd.Series:
        """The days of the values, as text; null where one is no time."""
        written = self.times.formats[0] if self.times is not None else None
        return as_times(self.values, written).dt.strftime("%Y-%m-%d").astype("string")

    def examples(self, count: int = 3) -> list[str]:
        """Different values, the first that come."""
        return [str(value) for value in self.values.dropna().drop_duplicates().head(count)]


def profile(name: str, column: pd.Series) -> Profile:
    """Look at a column of the sample, text or typed."""
    is_text = pd.api.types.is_string_dtype(column) or column.dtype == object
    values = _as_text(column)
    filled = values.dropna()
    times = read_times(values) if is_text or pd.api.types.is_integer_dtype(column) else _typed_times(column, values)
    plain = times is None or bool(times.obstacle) or times.counted
    numbers = read_numbers(values if is_text else column) if plain else None
    share = len(filled) / len(values) if len(values) else 0.0
    return Profile(name, values, numbers, times, share, filled.nunique())


def _as_text(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column) and bool((column.dropna() % 1 == 0).all()):
        column = column.astype("Int64")  # identifiers with gaps, which other tools write as 12.0
    text = column.astype("string").str.strip()
    return text.mask(text.str.lower().isin(MISSING))


def _typed_times(column: pd.Series, values: pd.Series) -> TimeReading | None:
    if pd.api.types.is_float_dtype(column):
        return read_counts(values)
    if not pd.api.types.is_datetime64_any_dtype(column):
        return None
    known = pd.Series(column.dropna().unique())
    return TimeReading((None,), 1.0, known.dt.tz_localize(None)) if len(known) else None
