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
    customer, day, step (place in `STEPS`), earned, wanted, taken, held (earned so far), over (of these, in lots that
    have ended), gone (taken so far), expires (of a lot); one row a customer, day and step. What lapsed at an expiry
    is `taken`. The balance is held - gone.
    """
    # What is read several times is computed once.
    events = _cumulated(_events(before(lots, as_of), before(takes, as_of), as_of, expire)).cache()
    short = events.filter(events.gone > events.held).select("customer").distinct()
    longest = events.semi_join(short, "customer").group_by("customer").agg(events=ibis._.count()).events.max()
    most = longest.to_pyarrow().as_py()
    if most is None:
        return events
    with events:
        limited = _limited(events.semi_join(short, "customer"), most)
        return ibis.union(events.anti_join(short, "customer"), limited).cache()


def _events(lots: ir.Table, takes: ir.Table, as_of: date, expire: bool) -> ir.Table:
    """All that moves points, one row a customer, day and step; ending is what was earned in lots that end there."""
    none, never = ibis.literal(0, "int64"), ibis.null("date")
    each = lots.group_by("customer", "day").agg(units=lots.units.sum().cast("int64"), expires=lots.expires.max())
    asked = takes.group_by("customer", "day", step=_place(takes.kind)).agg(wanted=takes.units.sum().cast("int64"))
    parts = [
        each.select("customer", "day", step=_step("earn"), earned="units", wanted=none, ending=none, expires="expires"),
        asked.select("customer", "day", "step", earned=none, wanted="wanted", ending=none, expires=never),
    ]
    if expire:
        over = each.filter(each.expires.notnull() & is_before(each.expires, as_of))
        ends = over.group_by("customer", day=over.expires).agg(ending=over.units.sum().cast("int64"))
        parts.append(
            ends.select(
                "customer", "day", step=_step("expire"), earned=none, wanted=none, ending="ending", expires=never
            )
        )
    return ibis.union(*parts)


def _step(kind: str) -> ir.IntegerScalar:
    return ibis.literal(STEPS.index(kind), "int64")


def _place(kind: ir.StringColumn) -> ir.IntegerColumn:
    return kind.cases(*((name, _step(name)) for name in STEPS[2:]))


def _cumulated(events: ir.Table) -> ir.Table:
    """Events with held, over (of it in lots that have ended), taken and gone, as if every wish were granted."""
    keys = {"group_by": "customer", "order_by": ["day", "step"]}
    so_far, before_it = ibis.cumulative_window(**keys), ibis.window(preceding=(None, 1), **keys)
    summed = events.mutate(
        held=events.earned.sum().over(so_far).cast("int64"), asked=events.wanted.sum().over(so_far).cast("int64"),
        over=events.ending.sum().over(so_far).cast("int64"),
    )  # fmt: skip
    lapsing = summed.over - summed.asked
    lapsed, earlier = (ibis.greatest(lapsing.max().over(each).coalesce(0), 0) for each in (so_far, before_it))
    gone = (summed.asked + lapsed).cast("int64")
    taken = (summed.wanted + lapsed - earlier).cast("int64")
    return summed.mutate(gone=gone, taken=taken).drop("asked", "ending")


def _limited(events: ir.Table, longest: int) -> ir.Table:
    """Events with taken and gone where wishes are granted as far as the balance goes; at most `longest` a customer."""
    # Without wishes both bounds hold anyway.
    maps = events.mutate(add=events.wanted, low=events.over, high=events.held)
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
    found = maps.mutate(gone=ibis.least(ibis.greatest(maps.add, maps.low), maps.high).cast("int64"))
    taken = found.gone - found.gone.lag().over(order).coalesce(0)
    return found.mutate(taken=taken.cast("int64")).select(events.columns)


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
