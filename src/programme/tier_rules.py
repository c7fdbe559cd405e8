"""The rules of a programme's tiers, whether from a dataset file or thought up for a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import isfinite
from typing import Literal

from ..errors import SettingsError
from ..schema import BELOW_FIRST, Programme

Period = Literal["rolling", "year", "quarter", "month"]
MONTHS: dict[Period, int] = {"year": 12, "quarter": 3, "month": 1}
"""Months of a calendar period."""

NO_TIER = BELOW_FIRST
"""What reports call those below the first tier."""


@dataclass(frozen=True)
class TierRules:
    """Who is in which tier.

    A tier is reached at once, on the day on which the spend (net of returns) or the points earned within the qualifying
    period come up to its threshold. In a rolling period it is kept for `grace_days` after the last day on which it is
    still reached. In a calendar period it is kept to its end, whatever is given back, for `grace_periods`
    more and then for `grace_days`. After that comes the tier that is still reached or kept; with `downgrade = "step"`
    at least the next lower one, for one more qualifying period, and so on down.

    Attributes
    ----------
    names : from the lowest tier to the highest.
    thresholds : money or points; each above the one before.
    by : what qualifies. Of points, every positive movement counts, and none that takes points away.
    period, days : of qualifying; `days` is the length of a rolling period.
    grace_days, grace_periods, downgrade : see above.

    Raises
    ------
    SettingsError
        Without tiers, or with thresholds that do not rise or are not above zero, or with rules that do not go together.
    """

    names: tuple[str, ...]
    thresholds: tuple[float, ...]
    by: Literal["spend", "points"] = "spend"
    period: Period = "rolling"
    days: int = 365
    grace_days: int = 0
    grace_periods: int = 0
    downgrade: Literal["reached", "step"] = "reached"

    def __post_init__(self) -> None:
        def wrong(key: str, expected: str, found: object, remedy: str) -> SettingsError:
            return SettingsError(f"programme.{key}: expected {expected}, found {found!r}; {remedy}")

        named, asked = self.names, self.thresholds
        if not asked:
            raise wrong("tiers", "at least one", asked, "name the tiers under [programme]")
        if len(named) != len(asked) or len(set(named)) < len(named) or NO_TIER in named:
            raise wrong("tiers", f"one name of its own for each, and none called {NO_TIER!r}", named, "rename them")
        if not all(isfinite(each) and each > 0 for each in asked):
            raise wrong("tiers", "thresholds above 0", asked, "who has bought nothing has no tier")
        if any(lower >= higher for lower, higher in pairwise(asked)):
            raise wrong("tiers", "each threshold above the one before", asked, "put the tiers in order")
        if self.days < 1:
            raise wrong("qualifying_days", "at least 1", self.days, "give the length of the qualifying period")
        if min(self.grace_days, self.grace_periods) < 0:
            raise wrong("grace_days", "0 or more", min(self.grace_days, self.grace_periods), "no grace is 0")
        if self.grace_periods and self.period == "rolling":
            raise wrong("grace_periods", "0 in a rolling period", self.grace_periods, "use grace_days")

    @classmethod
    def of(cls, programme: Programme) -> TierRules:
        """The rules of a dataset file.

        Examples
        --------
        >>> from loyalty.schema import Programme, Tier
        >>> TierRules.of(Programme(tiers=(Tier(name="Gold", points=500),), qualifying_period="year")).by
        'points'
        """
        by: Literal["spend", "points"] = "points" if any(tier.points for tier in programme.tiers) else "spend"
        return cls(
            tuple(tier.name for tier in programme.tiers),
            tuple(tier.threshold for tier in programme.tiers),
            by,
            programme.qualifying_period,
            programme.qualifying_days,
            programme.grace_days,
            programme.grace_periods,
            programme.downgrade,
        )

    @property
    def levels(self) -> tuple[str, ...]:
        """Names by level: 0 is below the first tier."""
        return (NO_TIER, *self.names)

    def period_start(self, day: date) -> date:
        """First day of the calendar period of a day.

        Examples
        --------
        >>> TierRules(("Gold",), (9.0,), period="quarter").period_start(date(2024, 6, 30))
        datetime.date(2024, 4, 1)
        """
        length = MONTHS[self.period]
        return date(day.year, (day.month - 1) // length * length + 1, 1)

    def known_from(self, first_day: date) -> date:
        """First date whose tiers a log that begins on `first_day` shows: a qualifying period and the grace lie in it.

        Tiers that are lost step by step may have been reached still earlier.

        Examples
        --------
        >>> TierRules(("Gold",), (9.0,), days=30, grace_days=5).known_from(date(2024, 1, 1))
        datetime.date(2024, 2, 5)
        >>> TierRules(("Gold",), (9.0,), period="year", grace_periods=1).known_from(date(2024, 3, 1))
        datetime.date(2026, 1, 2)
        """
        if self.period == "rolling":
            return first_day + timedelta(days=self.days + self.grace_days)
        start, length = self.period_start(first_day), MONTHS[self.period]
        periods = self.grace_periods + (start < first_day)
        month = start.year * 12 + start.month - 1 + length * periods
        # The tier of a date is that at the end of the day before it.
        return date(month // 12, month % 12 + 1, 1) + timedelta(days=self.grace_days + 1)
