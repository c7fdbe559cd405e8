"""The one result of every question "what did it change?": an estimate with its design, its error and its doubts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np

Design = Literal["randomised", "difference-in-differences", "doubly robust", "matched", "assumed"]

CAUSAL: tuple[Design, ...] = ("randomised", "difference-in-differences", "doubly robust", "matched")
"""Designs whose estimates may be called effects, if their assumptions hold."""

LEVEL = 0.9
"""Share of intervals that are to hold the truth."""

QUANTILE = 1.6448536269514722
"""Standard errors on each side of a 90 % interval."""


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its 90 % interval, in the unit of the effect that it belongs to."""

    estimate: float
    low: float
    high: float

    @classmethod
    def around(cls, estimate: float, standard_error: float) -> Self:
        """The interval of an estimate whose error is normal."""
        half = QUANTILE * standard_error
        return cls(float(estimate), float(estimate - half), float(estimate + half))

    def holds(self, value: float) -> bool:
        """Whether a value lies within."""
        return self.low <= value <= self.high

    def times(self, factor: float) -> Interval:
        """The same for `factor` customers, weeks or units."""
        ends = sorted((self.low * factor, self.high * factor))
        return Interval(self.estimate * factor, ends[0], ends[1])


@dataclass(frozen=True)
class Placebo:
    """The same method where the effect is known to be nothing.

    Attributes
    ----------
    name : what was done, such as `campaigns at random dates`.
    found : what it estimates there.
    passed : whether that is within the error that chance allows.
    reading : the same in a sentence.
    """

    name: str
    found: Interval
    passed: bool
    reading: str


@dataclass(frozen=True)
class Overlap:
    """How far those who were treated have others like them.

    Attributes
    ----------
    kept, trimmed : customers, treated or not, who were compared, and who were left out because nobody is like them.
    lowest, highest : probability of being treated, of those kept.
    """

    kept: int
    trimmed: int
    lowest: float
    highest: float


@dataclass(frozen=True)
class Effect:
    """What something changed.

    Attributes
    ----------
    what : what was measured of whom, such as `Spend in the 28 days after campaign 13`.
    design : how the comparison was made.
    estimand : what the estimate is an estimate of, a sentence.
    unit : such as `USD a customer`.
    found : the estimate with its interval; not a number where nothing is identified.
    standard_error : of the estimate.
    treated, control : customers compared.
    assumptions : what must hold, in words.
    placebos : tests of the method where the effect is nothing.
    overlap : where customers were matched or weighted.
    raw : the difference of treated and others as they are, which is no effect unless the design is randomised.
    refusals : why no number is given; empty if one is.
    notes : what else a reader must know, in sentences.
    """

    what: str
    design: Design
    estimand: str
    unit: str
    found: Interval
    standard_error: float
    treated: int
    control: int
    assumptions: tuple[str, ...] = ()
    placebos: tuple[Placebo, ...] = ()
    overlap: Overlap | None = None
    raw: Interval | None = None
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def identified(self) -> bool:
        """Whether the number may be told."""
        return not self.refusals and bool(np.isfinite(self.found.estimate))

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.identified and not self.found.holds(0.0)

    def refused(self, *reasons: str) -> Effect:
        """The same without its number, and why."""
        nothing = Interval(np.nan, np.nan, np.nan)
        return replace(self, found=nothing, standard_error=np.nan, refusals=(*self.refusals, *reasons))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; a number that is not given is None."""
        return {name: _with_nulls(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        return cls(
            **{name: said[name] for name in ("what", "design", "estimand", "unit")},
            found=_interval(said["found"]),
            standard_error=_number(said["standard_error"]),
            treated=int(said["treated"]),
            control=int(said["control"]),
            assumptions=tuple(said["assumptions"]),
            placebos=tuple(Placebo(**{**each, "found": _interval(each["found"])}) for each in said["placebos"]),
            overlap=Overlap(**said["overlap"]) if said["overlap"] else None,
            raw=_interval(said["raw"]) if said["raw"] else None,
            refusals=tuple(said["refusals"]),
            notes=tuple(said["notes"]),
        )


def said(value: float) -> str:
    """A number in a note: three significant digits.

    Examples
    --------
    >>> said(1234.5), said(-0.01234), said(12.0)
    ('1,230', '−0.0123', '12')
    """
    rounded = float(f"{value:.3g}")
    return (f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}").replace("-", "−")


def _with_nulls(plain: Any) -> Any:
    """The same with None where a number is not given, for JSON knows no such number."""
    if isinstance(plain, dict):
        return {name: _with_nulls(value) for name, value in plain.items()}
    if isinstance(plain, tuple):
        return tuple(map(_with_nulls, plain))
    return None if isinstance(plain, float) and np.isnan(plain) else plain


def _number(plain: float | None) -> float:
    return np.nan if plain is None else float(plain)


def _interval(plain: Mapping[str, float | None]) -> Interval:
    return Interval(**{name: _number(value) for name, value in plain.items()})
