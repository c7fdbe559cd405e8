"""Who may be reached, and by which channel: the latest word of each customer.

A customer may be reached for a purpose such as `contact` who agreed to it before the day of the actions and has not
taken it back since. A word on one channel alone is a purpose of its own, `contact e-mail`: with it, both must allow.
In doubt nobody is reached: what was agreed to and taken back on the same day is taken back, what cannot be read is no
consent, a withdrawal that names no purpose is one of all, one whose day cannot be read is never taken back, and a
withdrawal counts whenever it is noted, also where the actions are of a past day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce

import ibis
import ibis.expr.types as ir

from ..features.windows import is_before


def allowed(rows: ir.Table, consent: ir.Table | None, purpose: str, channels: Sequence[str], as_of: date) -> ir.Table:
    """Rows of customers who may be reached by the channel of the row; all of them where consent is not recorded.

    Parameters
    ----------
    rows : customer, channel.
    consent : see `sources.log`; None where the dataset has no such table.
    purpose : in lower case.
    channels : all that there may be in `rows`.
    as_of : the day of the actions.
    """
    if consent is None or not channels:
        return rows
    return rows.semi_join(permitted(consent, purpose, channels, as_of), ["customer", "channel"])


def permitted(consent: ir.Table, purpose: str, channels: Sequence[str], as_of: date) -> ir.Table:
    """Customers and the channels by which they may be reached: customer, channel; each once."""
    each = [_by_channel(consent, purpose, channel, as_of) for channel in channels]
    return reduce(lambda one, other: one.union(other), each)


def _by_channel(consent: ir.Table, purpose: str, channel: str, as_of: date) -> ir.Table:
    said = consent.mutate(granted=consent.granted.fill_null(False), about=ibis.literal(purpose))
    if "purpose" in consent.columns:
        about = said.purpose.fill_null("")
        said = said.mutate(about=(about == "").ifelse(purpose, about))
        said = said.filter((about != "") | ~said.granted)
    said = said.filter(said.about.isin([purpose, f"{purpose} {channel.lower()}"]))
    said = said.filter(~said.granted | is_before(said.day, as_of))
    last = said.mutate(last=said.day.max().over(ibis.window(group_by=["customer", "about"])))
    last = last.filter((last.day == last["last"]) | last.day.isnull())
    each = last.group_by("customer").agg(agreed=last.granted.all())
    return each.filter(each.agreed).select("customer", channel=ibis.literal(channel))
