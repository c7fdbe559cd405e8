"""What several campaigns earned together: their sums, with errors that hang together as they are said to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import DataError
from .profit_and_loss import Costs, ProfitAndLoss


def programme(
    campaigns: Sequence[ProfitAndLoss],
    *,
    shared_controls: bool = False,
    what: str = "All campaigns",
) -> ProfitAndLoss:
    """What several campaigns earned together.

    Campaigns whose effect is not identified are left out, with what they cost, and named in the notes.

    Parameters
    ----------
    campaigns : at the same margin, all net of discounts or none.
    shared_controls : whether campaigns were held against the same customers, so that their errors go together. The
        standard errors are added up then, which is the widest that they can be; else they are independent, and their
        squares are added.
    what : whose account it is.

    Raises
    ------
    DataError : there is no campaign, margins differ, or some sales are net and others not.
    """
    if len({(each.margin, each.net) for each in campaigns}) != 1:
        raise DataError("campaigns: expected some, at one margin and with one way of counting discounts")
    told = [each for each in campaigns if each.identified]
    if not told:
        why = ("No campaign has an effect that is identified.",)
        costs = _sum(each.costs for each in campaigns)
        return replace(campaigns[0], what=what, customers=0, costs=costs, refusals=why, notes=())
    errors = np.array([each.standard_error or 0.0 for each in told])
    return replace(
        told[0],
        what=what,
        sales=float(sum(each.sales or 0.0 for each in told)),
        standard_error=float(errors.sum() if shared_controls else np.sqrt(np.square(errors).sum())),
        customers=sum(each.customers for each in told),
        costs=_sum(each.costs for each in told),
        discount_share=min(each.discount_share for each in told),
        notes=_programme_notes(campaigns, shared_controls),
    )


def _sum(costs: Iterable[Costs]) -> Costs:
    total = Costs(0.0, 0.0, 0.0)
    for each in costs:
        total = total.plus(each)
    return total


def _programme_notes(campaigns: Sequence[ProfitAndLoss], shared_controls: bool) -> tuple[str, ...]:
    notes = [f"{each.what}: {note}" for each in campaigns if each.identified for note in each.notes]
    if left := [each for each in campaigns if not each.identified]:
        names, spent = ", ".join(each.what for each in left), sum(each.costs.known for each in left)
        notes.append(f"Left out, because what they caused is not known: {names}. Of their costs {spent:,.0f} is known.")
    if shared_controls:
        notes.append("Campaigns share their control customers: their errors are added up as if all went the same way.")
    elif len(campaigns) - len(left) > 1:
        notes.append("Errors of campaigns are taken as independent.")
    return tuple(notes)
