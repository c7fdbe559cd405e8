"""Who is held out of an action, by a keyed hash: the same in every run, another draw for every campaign.

A customer is held out of a campaign if the hash of both (BLAKE2b with the key; RFC 7693), as a number from 0 to 1, lies
under the share. It needs no memory: a list that is made again, or has grown, holds out the same customers. Whoever does
not know the key cannot foresee who will be held out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from ..errors import DataError, SettingsError
from ..models.validation import FloatArray
from .design import LEAST, Plan, Variation, hold_out_needed, minimum_effect

TREATED, HELD_OUT = "treated", "control"
"""What the column `group` says; the second is one of the words that `roles.Contacts.held_out` knows."""
SHORTEST_KEY, LONGEST_KEY = 16, 64
SMALLEST = 0.05
"""Share that is always held out: what an action changes is asked of every one."""


@dataclass(frozen=True)
class HoldOut:
    """How many of an action are held out, and what that will show.

    Attributes
    ----------
    campaign : its name.
    customers : drawn for it, in both arms.
    share : held out.
    shows : least effect that will show with the plan's power, unit of the metric; not a number where there is none.
    enough : whether the effect that matters is at least as large.
    reading : a sentence.
    """

    campaign: str
    customers: int
    share: float
    shows: float
    enough: bool
    reading: str


def sized(campaign: str, customers: int, variation: Variation, plan: Plan, effect: float | None = None) -> HoldOut:
    """The share to hold out: the least that shows the effect that matters; the plan's own where none is enough.

    Parameters
    ----------
    customers : drawn for the campaign.
    variation, plan : see `design`; `plan.hold_out` is what is held out where no effect is given, or none is enough.
    effect : the least that matters, unit of the metric, above 0; such as what the contact costs over its worth.
    """
    needed = None if effect is None else hold_out_needed(variation, plan, customers, effect)
    share = plan.hold_out if needed is None else min(max(needed, SMALLEST), 0.5)
    held = Plan(share, plan.power, plan.one_sided, plan.arms, plan.level, plan.cuped)
    enough_customers = customers * min(share, 1 - share) >= LEAST
    shows = minimum_effect(variation, held, customers) if enough_customers else float("nan")
    enough = needed is not None or (effect is None and enough_customers)
    return HoldOut(campaign, customers, share, shows, enough, _reading(share, shows, effect, needed))


def drawn(
    chosen: pd.DataFrame, key: bytes, share: float | Mapping[str, float], when: date | datetime | None = None
) -> pd.DataFrame:
    """The contacts table of what was chosen, those held out with it.

    Parameters
    ----------
    chosen : customer, campaign and channel (how it is sent), and time if `when` is not given.
    key : 16 to 64 bytes, kept secret and the same for good.
    share : to hold out, from 0 to under 1; by campaign if they differ.
    when : of the contact.

    Returns
    -------
    One row a customer and campaign, in order of campaign and customer, as `roles.Contacts` reads it: customer,
    campaign, time (text, ISO 8601), sent_by and group (`treated`, or `control`: not to be contacted).

    Raises
    ------
    SettingsError
        If key or share cannot be used.
    DataError
        If a customer is in a campaign twice.
    """
    if chosen.duplicated(["customer", "campaign"]).any():
        twice = int(chosen.duplicated(["customer", "campaign"]).sum())
        raise DataError(f"chosen: expected a customer once in a campaign, found {twice} rows more")
    rows = chosen.assign(time=when) if when is not None else chosen
    rows = rows.sort_values(["campaign", "customer"], ignore_index=True)
    held = np.zeros(len(rows), dtype=bool)
    for campaign, own in rows.groupby("campaign", sort=False):
        part = _share(str(campaign), share)
        held[own.index] = chances(key, str(campaign), own["customer"]) < part
    return pd.DataFrame(
        {
            "customer": rows["customer"].astype(str),
            "campaign": rows["campaign"].astype(str),
            "time": [pd.Timestamp(each).isoformat(sep=" ") for each in rows["time"]],
            "sent_by": rows["channel"].astype(str),
            "group": np.where(held, HELD_OUT, TREATED),
        }
    )


def chances(key: bytes, campaign: str, customers: Iterable[object]) -> FloatArray:
    """A number from 0 to under 1 for each customer of a campaign, evenly spread, that depends on nothing else.

    Examples
    --------
    >>> chances(b"sixteen bytes or", "spring", ["a", "b"]).round(6).tolist()
    [0.776131, 0.01584]
    """
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise SettingsError(f"hold-out key: expected {SHORTEST_KEY} to {LONGEST_KEY} bytes, found {len(key)}")
    # A key for each campaign, so that no two names run into each other.
    own = hashlib.blake2b(campaign.encode(), key=key).digest()
    start = hashlib.blake2b(key=own, digest_size=8)
    raw = b"".join(_digest(start, str(each)) for each in customers)
    # The highest 53 bits are all that a float holds exactly.
    return np.asarray((np.frombuffer(raw, dtype=">u8") >> np.uint64(11)).astype("float64") / 2.0**53)


def _digest(start: hashlib.blake2b, customer: str) -> bytes:
    each = start.copy()
    each.update(customer.encode())
    return each.digest()


def _share(campaign: str, share: float | Mapping[str, float]) -> float:
    found = share.get(campaign) if isinstance(share, Mapping) else share
    if found is None:
        raise SettingsError(f"hold-out: no share is given for campaign {campaign!r}")
    if not 0 <= found < 1:
        raise SettingsError(f"hold-out of {campaign!r}: expected a share from 0 to under 1, found {found:g}")
    return float(found)


def _reading(share: float, shows: float, effect: float | None, needed: float | None) -> str:
    told = f"{share:.0%} are held out"
    if np.isnan(shows):
        return f"{told}: too few customers to show any effect; several runs have to be read together."
    if effect is None or needed is not None:
        return f"{told}: an effect of {shows:.3g} a customer will show."
    return f"{told}: only an effect of {shows:.3g} a customer will show, more than the {effect:.3g} that matters."
