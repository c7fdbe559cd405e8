r"""The state of each customer by the customer's own rhythm.

With n gaps between purchase days that add up to t, and a base whose gap is b, the usual gap is

.. math:: g = \frac{k b + t}{k + n}, \quad k = 4,

the posterior mean of the gap where purchases follow a Poisson process whose rate is gamma-distributed over customers:
the base counts like k gaps of one's own. b is the median, over customers with a repeat purchase, of their mean gaps;
of a base without any, `WITHOUT_REPEATS`. `overdue` is the days since the last purchase over g.

A customer is in the first of these states that applies:

========================  =============================================================================================
lost                      overdue > 6, or > 4 after a single purchase
lapsed                    overdue > 4, or > 2 after a single purchase
new                       a single purchase, overdue ≤ 1
awaiting second purchase  a single purchase
slipping                  overdue > 2
won back                  the gap before the last purchase was longer than four usual gaps, as they were before it
slipping                  a - c > 1.64 √(a + c)
growing                   c - a > 1.64 √(a + c)
steady                    all others
========================  =============================================================================================

c and a are the repeat purchase days in the later and the earlier half of the last twelve usual gaps, or of the time
since the first purchase if that is shorter: of the same rate, one exceeds the other by so much once in twenty times.
"""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..features.columns import Tables
from ..features.windows import before, days_until
from .states import STATES

PRIOR_GAPS = 4
WITHOUT_REPEATS = 90.0
"""Days that a gap is taken to be where nobody has bought twice."""

SLIPPING, LAPSED, LOST = 2.0, 4.0, 6.0
DUE, LAPSED_SINGLE, LOST_SINGLE = 1.0, 2.0, 4.0
REACH = 12.0
"""Usual gaps that are looked back on for growth and decline."""
CLEARLY = 1.64
"""Standard errors: one-sided 5 %."""
NOT_YET = "not yet a customer"


def moments(tables: Tables, as_of: date) -> ir.Table:
    """State of everyone who bought before `as_of`.

    Parameters
    ----------
    tables : with purchase days.
    as_of : first day that is not known.

    Returns
    -------
    customer
    purchase_days : count
    first_day, last_day : of them
    days_since_last : days
    usual_gap : days, see above
    overdue : ratio
    state : one of `states.STATES`
    """
    known = before(tables.days, as_of).select("customer", "day")
    each = _rhythm(known, as_of)
    halves = _halves(known, each, as_of)
    joined = each.left_join(halves, "customer").drop("customer_right")
    return joined.mutate(state=_state(joined)).select(
        "customer", "purchase_days", "first_day", "last_day", "days_since_last", "usual_gap", "overdue", "state"
    )


def sizes(each: ir.Table) -> pd.DataFrame:
    """How many customers are in each state: index state (all, in the order of `STATES`), customers, share."""
    counted = each.group_by("state").agg(customers=each.count()).to_pandas().set_index("state")
    counted = counted.reindex(list(STATES), fill_value=0)
    return counted.assign(share=counted["customers"] / max(counted["customers"].sum(), 1))


def moves(tables: Tables, first: date, second: date) -> pd.DataFrame:
    """Who moved from which state to which between two dates.

    Parameters
    ----------
    tables : with purchase days.
    first, second : dates, of which the second is the later.

    Returns
    -------
    customers : count; index state at the first date (`STATES` and `NOT_YET`), columns state at the second (`STATES`)
    """
    if first >= second:
        raise ValueError(f"first: expected a date before {second}, found {first}")
    earlier = moments(tables, first).select("customer", before="state")
    both = moments(tables, second).select("customer", after="state").left_join(earlier, "customer")
    both = both.mutate(before=both.before.fill_null(NOT_YET))
    counted = both.group_by("before", "after").agg(customers=both.count()).to_pandas()
    wide = counted.pivot_table(index="before", columns="after", values="customers", aggfunc="sum")
    wide = wide.reindex(index=[*STATES, NOT_YET], columns=list(STATES)).fillna(0)
    return wide.astype("int64")


def _rhythm(known: ir.Table, as_of: date) -> ir.Table:
    """One row a customer: the sums of the gaps, the usual gap, and that before the last purchase."""
    in_order = ibis.window(group_by="customer", order_by="day")
    gapped = known.mutate(gap=known.day.delta(known.day.lag().over(in_order), unit="day"))
    each = gapped.group_by("customer").agg(
        purchase_days=gapped.count(),
        first_day=gapped.day.min(),
        last_day=gapped.day.max(),
        last_gap=gapped.gap.argmax(gapped.day),
    )
    n, total = each.purchase_days - 1, each.last_day.delta(each.first_day, unit="day")
    each = each.mutate(gaps=n, total=total, days_since_last=days_until(as_of, each.last_day))
    repeaters = each.filter(each.gaps > 0)
    base = repeaters.agg(base_gap=(repeaters.total.cast("float64") / repeaters.gaps).median().coalesce(WITHOUT_REPEATS))
    each = each.cross_join(base)
    usual = (PRIOR_GAPS * each.base_gap + each.total) / (PRIOR_GAPS + each.gaps)
    before_last = (PRIOR_GAPS * each.base_gap + each.total - each.last_gap) / (PRIOR_GAPS + each.gaps - 1)
    return each.mutate(usual_gap=usual, overdue=each.days_since_last / usual, gap_before=before_last)


def _halves(known: ir.Table, each: ir.Table, as_of: date) -> ir.Table:
    """Repeat purchase days in the earlier and the later half of the time that is looked back on."""
    joined = known.join(each.select("customer", "first_day", "usual_gap"), "customer")
    tenure = days_until(as_of, joined.first_day)
    reach = ibis.least(REACH * joined.usual_gap, tenure.cast("float64"))
    age, repeat = days_until(as_of, joined.day), joined.day > joined.first_day
    late = age <= reach / 2
    early = ~late & (age <= reach)
    return joined.group_by("customer").agg(
        later=(repeat & late).cast("int64").sum(), earlier=(repeat & early).cast("int64").sum()
    )


def _state(each: ir.Table) -> ir.StringValue:
    single, overdue = each.gaps == 0, each.overdue
    clear = CLEARLY * (each.later + each.earlier).sqrt()
    return ibis.cases(
        (overdue > single.ifelse(LOST_SINGLE, LOST), "lost"),
        (overdue > single.ifelse(LAPSED_SINGLE, LAPSED), "lapsed"),
        (single & (overdue <= DUE), "new"),
        (single, "awaiting second purchase"),
        (overdue > SLIPPING, "slipping"),
        (each.last_gap > LAPSED * each.gap_before, "won back"),
        (each.earlier - each.later > clear, "slipping"),
        (each.later - each.earlier > clear, "growing"),
        else_="steady",
    )
