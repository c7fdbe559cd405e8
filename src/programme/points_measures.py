"""Points in numbers: moved per day, used, how old the balance is, when it expires, and for whom."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from .effect import Interval
from .ledger import STEPS, UNITS
from .points import Account
from .rates import clustered_share

AGES = (90, 180, 365)
"""Days that part the ages of a balance."""

NAMES = ("expired", "issued", "clawed_back", "adjusted", "redeemed", "expired")
"""Of what moves at each step of `ledger.STEPS`."""


@dataclass(frozen=True)
class Use:
    """How much of the points was redeemed.

    Attributes
    ----------
    share : redeemed over issued, since the ledger began, with the interval of customers drawn anew.
    matured : the same of points whose time is over, where points expire; None if there are none.
    least : the line under which the alarm is raised.
    customers : who ever had points.
    """

    share: Interval
    matured: Interval | None
    least: float
    customers: int

    @property
    def alarm(self) -> bool:
        """Whether too little is used: of points whose time is over where there are any, for young ones still may be."""
        return (self.matured or self.share).estimate < self.least


def moved(account: Account, every_days: int = 1) -> pd.DataFrame:
    """Points moved, by day or by longer periods that end at the as-of date.

    Returns
    -------
    day (the first of the period), kind (of `NAMES`), points, customers; in this order.
    """
    events = account.settled
    back = (ibis.literal(account.as_of).delta(events.day, unit="day") - 1) / every_days
    units, kind = events.earned + events.taken, events.step.cases(*enumerate(NAMES))
    placed = events.select("customer", units=units, kind=kind, back=back.floor().cast("int64"))
    placed = placed.filter(placed.units > 0)
    told = placed.group_by("back", "kind").agg(units=placed.units.sum(), customers=placed.customer.nunique())
    frame = _in_points(told, ["back", "kind"])
    first = pd.Timestamp(account.as_of) - pd.to_timedelta((frame.pop("back") + 1) * every_days, unit="D")
    frame.insert(0, "day", first)
    return frame.sort_values(["day", "kind"], ignore_index=True)


def use(account: Account) -> Use | None:
    """How much of the points was redeemed; None where none were issued."""
    parts = account.parts
    shares = [_share(parts), _share(parts.filter(parts.expires < ibis.literal(account.as_of)))]
    if shares[0] is None:
        return None
    share, customers = shares[0]
    return Use(share, None if shares[1] is None else shares[1][0], account.rules.least_use, customers)


def _share(parts: ir.Table) -> tuple[Interval, int] | None:
    spent = (parts.step == STEPS.index("redeem")).fill_null(False)
    each = parts.group_by("customer").agg(
        m=(parts.units.sum() / UNITS).cast("float64"), y=(spent.ifelse(parts.units, 0).sum() / UNITS).cast("float64")
    )
    sums = each.agg(
        customers=each.count(),
        rows=each.m.sum(),
        hits=each.y.sum(),
        rows_squared=(each.m * each.m).sum(),
        hits_squared=(each.y * each.y).sum(),
        product=(each.m * each.y).sum(),
    ).to_pandas()
    if not sums["customers"][0]:
        return None
    told = clustered_share(sums).iloc[0]
    return Interval(float(told["share"]), float(told["low"]), float(told["high"])), int(sums["customers"][0])


def balance_by_age(account: Account) -> pd.DataFrame:
    """Points that are there, by days since they could first be spent.

    Returns
    -------
    from_days, to_days (null of the oldest), points, customers.
    """
    left = account.parts.filter(account.parts.step.isnull())
    age = ibis.literal(account.as_of).delta(left.day, unit="day")
    spans = list(zip((0, *AGES), AGES, strict=False))
    aged = left.mutate(from_days=ibis.cases(*((age <= high, low) for low, high in spans), else_=AGES[-1]))
    told = aged.group_by("from_days").agg(units=aged.units.sum(), customers=aged.customer.nunique())
    frame = _in_points(told, ["from_days"])
    upper = dict(zip((0, *AGES), (*AGES, None), strict=True))
    frame.insert(1, "to_days", frame["from_days"].map(upper).astype("Int64"))
    return frame


def expiry_calendar(account: Account, every_days: int = 30) -> pd.DataFrame:
    """Points that will expire if nobody spends any, by period: day (its first), points, customers.

    What by the rules should have expired already, and by a ledger that tells what did has not, is due at once.
    """
    left = account.parts.filter(account.parts.step.isnull() & account.parts.expires.notnull())
    ahead = ibis.greatest(left.expires.delta(ibis.literal(account.as_of), unit="day"), 0)
    dated = left.mutate(period=(ahead / every_days).floor().cast("int64"))
    told = dated.group_by("period").agg(units=dated.units.sum(), customers=dated.customer.nunique())
    frame = _in_points(told, ["period"])
    first = pd.Timestamp(account.as_of) + pd.to_timedelta(frame.pop("period") * every_days, unit="D")
    frame.insert(0, "day", first)
    return frame


def to_remind(account: Account, within_days: int = 30) -> ir.Table:
    """Customers whose points expire within so many days: customer, expires (the first time), units. Personal data."""
    end: date = account.as_of + timedelta(days=within_days)
    left = account.parts.filter(account.parts.step.isnull() & (account.parts.expires < ibis.literal(end)))
    return left.group_by("customer").agg(expires=left.expires.min(), units=left.units.sum().cast("int64"))


def _in_points(told: ir.Table, keys: list[str]) -> pd.DataFrame:
    named = told.select(*keys, points=told.units.cast("float64") / UNITS, customers="customers")
    return named.to_pandas().sort_values(keys, ignore_index=True)
