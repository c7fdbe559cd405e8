r"""The points ledger: lots that are earned, spent the oldest first, and expire with what is left of them.

Points are counted in hundredths, as whole numbers: sums are exact, whatever their order and whatever the engine.

Cumulate a customer's lots in the order in which they become usable, up to :math:`A_i` for lot i, and let G be all
that has gone so far. The oldest points go first, so that lot i is the stretch :math:`(A_{i-1}, A_i]` of the line
along which G moves. A redemption of d takes G to :math:`\min(G + d, A)`, the expiry of lot i takes it to
:math:`\max(G, A_i)`. Where no redemption exceeds the balance, :math:`G = D + \max(0, \max_i (A_i - D_i))` with D what
was asked for so far and :math:`D_i` that before the expiry of lot i: two running windows. A redemption after an
expiry cannot reach back into what has expired, for G is already past it. Where one exceeds the balance, every event
is a map :math:`x \mapsto \min(\max(x + a, l), u)`; such maps compose into one of the same form, and prefixes of n of
them take :math:`\log_2 n` rounds (Hillis and Steele 1986).

On one day points first expire, then are earned, then clawed back, adjusted, redeemed: points of a day can be spent on
that day, and points that end with a day cannot be spent on the next.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from ..features.windows import before, is_before

UNITS = 100
"""In a point."""

STEPS = ("expire", "earn", "claw", "adjust", "redeem", "expired")
"""Order of what happens on one day; `expired` is what the retailer's own table says, at the end of the day."""

BOUNDLESS = 2**60
"""More units than any account has."""


def settle(lots: ir.Table, takes: ir.Table, as_of: date, *, expire: bool = True) -> ir.Table:
    """What becomes of every customer's points, event by event.

    What is to be taken and is not there is not taken: a balance is never negative.

    Parameters
    ----------
    lots : customer, day (from which they are usable), expires (the first day on which they are not; null for never; of
        a later lot never earlier), units (hundredths of a point, above 0).
    takes : customer, day, kind (of `STEPS`, none of the first two), units (wanted, above 0).
    as_of : first day that is not known.
    expire : whether lots end on their day; False where `takes` holds what expired.

    Returns
    -------
    customer, day, step (place in `STEPS`), earned, wanted, taken, held (earned so far), gone (taken so far), expires
    (of a lot); one row a customer, day and step. What lapsed at an expiry is `taken`. The balance is held - gone.
    """
    events = _cumulated(_events(before(lots, as_of), before(takes, as_of), as_of, expire))
    short = events.filter(events.gone > events.held).select("customer").distinct()
    most = events.semi_join(short, "customer").group_by("customer").agg(events=ibis._.count()).events.max()
    longest = most.to_pyarrow().as_py()
    if longest is not None:
        limited = _limited(events.semi_join(short, "customer"), longest)
        events = ibis.union(events.anti_join(short, "customer"), limited)
    last = ibis.window(group_by="customer", order_by=["day", "step"])
    return events.mutate(taken=(events.gone - events.gone.lag().over(last).coalesce(0)).cast("int64")).drop("upto")


def _events(lots: ir.Table, takes: ir.Table, as_of: date, expire: bool) -> ir.Table:
    """All that moves points, one row a customer, day and step; upto is all that was earned up to a lot that expires."""
    none, never = ibis.literal(0, "int64"), ibis.null("date")
    each = lots.group_by("customer", "day").agg(units=lots.units.sum().cast("int64"), expires=lots.expires.max())
    asked = takes.group_by("customer", "day", step=_place(takes.kind)).agg(wanted=takes.units.sum().cast("int64"))
    parts = [
        each.select("customer", "day", step=_step("earn"), earned="units", wanted=none, upto=ibis.null("int64"),
                    expires="expires"),
        asked.select("customer", "day", "step", earned=none, wanted="wanted", upto=ibis.null("int64"), expires=never),
    ]  # fmt: skip
    if expire:
        so_far = ibis.cumulative_window(group_by="customer", order_by="day")
        each = each.mutate(upto=each.units.sum().over(so_far).cast("int64"))
        ending = each.filter(each.expires.notnull() & is_before(each.expires, as_of))
        ends = ending.group_by("customer", day=ending.expires).agg(upto=ending.upto.max())
        parts.append(
            ends.select("customer", "day", step=_step("expire"), earned=none, wanted=none, upto="upto", expires=never)
        )
    return ibis.union(*parts)


def _step(kind: str) -> ir.IntegerScalar:
    return ibis.literal(STEPS.index(kind), "int64")


def _place(kind: ir.StringColumn) -> ir.IntegerColumn:
    return kind.cases(*((name, _step(name)) for name in STEPS[2:]))


def _cumulated(events: ir.Table) -> ir.Table:
    """Events with held and gone, as if every wish were granted."""
    so_far = ibis.cumulative_window(group_by="customer", order_by=["day", "step"])
    summed = events.mutate(
        held=events.earned.sum().over(so_far).cast("int64"), asked=events.wanted.sum().over(so_far).cast("int64")
    )
    lapsed = (summed.upto - summed.asked).max().over(so_far).coalesce(0)
    return summed.mutate(gone=(summed.asked + ibis.greatest(lapsed, 0)).cast("int64")).drop("asked")


def _limited(events: ir.Table, longest: int) -> ir.Table:
    """Events with gone where wishes are granted as far as the balance goes; at most `longest` a customer."""
    maps = events.mutate(
        add=events.wanted,
        low=events.upto.coalesce(-BOUNDLESS).cast("int64"),
        high=(events.wanted > 0).ifelse(events.held, ibis.literal(BOUNDLESS)).cast("int64"),
    )
    order, reach = ibis.window(group_by="customer", order_by=["day", "step"]), 1
    while reach < longest:
        # A customer's first rows have nobody so far before them: nothing is added, and no bound is met.
        added = maps.add.lag(reach).over(order).coalesce(0)
        low = maps.low.lag(reach).over(order).coalesce(-BOUNDLESS)
        high = maps.high.lag(reach).over(order).coalesce(BOUNDLESS)
        maps = maps.mutate(
            add=(maps.add + added).cast("int64"), low=_within(low, maps).cast("int64"),
            high=_within(high, maps).cast("int64"),
        )  # fmt: skip
        reach *= 2
    gone = ibis.least(ibis.greatest(maps.add, maps.low), maps.high)
    return maps.mutate(gone=gone.cast("int64")).select(events.columns)


def _within(bound: ir.IntegerValue, maps: ir.Table) -> ir.IntegerValue:
    """Where an earlier map's bound comes to lie after a later map."""
    return ibis.least(ibis.greatest(bound + maps.add, maps.low), maps.high)


def stretches(settled: ir.Table) -> ir.Table:
    """What became of each lot: which part went when, and how.

    Parameters
    ----------
    settled : see `settle`.

    Returns
    -------
    customer, day (from which the points were usable), expires, gone_day, step (place in `STEPS`; both null where they
        are still there), units; units of a customer add up to what was earned.
    """
    none, never = ibis.null("int64"), ibis.null("date")
    earned, taken = settled.filter(settled.earned > 0), settled.filter(settled.taken > 0)
    # Days rise along the line, and so does this.
    turn = taken.day.delta(ibis.literal(date(1970, 1, 1)), unit="day") * len(STEPS) + taken.step
    ends = ibis.union(
        earned.select("customer", at="held", day="day", expires="expires", gone_day=never, turn=none),
        taken.select("customer", at="gone", day=never, expires=never, gone_day="day", turn=turn.cast("int64")),
    )
    columns = ("day", "expires", "gone_day", "turn")
    marks = ends.group_by("customer", "at").agg(**{name: ends[name].min() for name in columns})
    ahead = ibis.window(group_by="customer", order_by="at", preceding=0, following=None)
    order = ibis.window(group_by="customer", order_by="at")
    parts = marks.select(
        "customer",
        **{name: marks[name].min().over(ahead) for name in columns},
        units=(marks["at"] - marks["at"].lag().over(order).coalesce(0)).cast("int64"),
    )
    return parts.mutate(step=parts.turn % len(STEPS)).drop("turn")


def entries(settled: ir.Table) -> ir.Table:
    """The ledger in double entry: every movement leaves one account and enters another.

    Returns
    -------
    customer, day, step, from_account, to_account (`issued`, `balance`, `redeemed`, `expired`, `clawed back`,
        `adjusted`), units (above 0).
    """
    moved = settled.mutate(units=settled.earned + settled.taken)
    names = ("expired", "balance", "clawed back", "adjusted", "redeemed", "expired")
    target = moved.step.cases(*enumerate(names))
    origin = (moved.step == STEPS.index("earn")).ifelse("issued", "balance")
    named = moved.filter(moved.units > 0).mutate(from_account=origin, to_account=target)
    return named.select("customer", "day", "step", "from_account", "to_account", "units")
