"""Who gains from a campaign, and what joining the programme changed: the parts of `effects` that look at customers."""

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from .errors import RefusedError
from .features import build
from .features.columns import Window
from .features.sample import last_mark, tables_up_to
from .programme import joining, members
from .programme.responders import Response, who_responds

if TYPE_CHECKING:
    from .study import Study

MOST_LEARNED = 20_000
"""Customers who are looked at one by one."""


def of_members(study: "Study") -> dict[str, Any]:
    """What joining changed, beside how members and others stand.

    Returns
    -------
    effects : by outcome, see `Effect.to_dict`; None where nobody knows who joined when.
    standing : rows of `joining.standing`.
    """
    tables, settings = study.data.tables, study.dataset.study
    if tables.customers is None or "joined" not in tables.customers.columns:
        return {"effects": None, "standing": []}
    found = members.against_others(
        tables,
        study.known_until,
        study.horizon_days,
        currency=study.dataset.currency,
        margin=settings.margin,
        annual_discount_rate=settings.annual_discount_rate,
    )
    standing = joining.standing(tables, study.known_until, study.horizon_days).to_pandas()
    return {
        "effects": {name: each.to_dict() for name, each in found.items()},
        "standing": standing.to_dict("records"),
    }


def of_campaign(study: "Study", people: pd.DataFrame, start: date, cost: float) -> Response | None:
    """Who gains how much from a campaign, learned from what was known on its first day.

    Parameters
    ----------
    people : see `programme.held_out.participants`; those who were active on the first day are looked at.
    start : that day.
    cost : of one contact, money.

    Returns
    -------
    None where an arm has too few of them.
    """
    drawn = people.set_index("customer")
    known = _features(study, start)
    known = known.loc[known.index.intersection(drawn.index)].sort_index()
    known = known.loc[:, known.nunique() > 1]
    drawn = drawn.loc[known.index]
    try:
        found = who_responds(known, drawn["arm"], drawn["spend"], margin=study.dataset.study.margin, cost=cost)
    except RefusedError:
        return None
    return found.response


def _features(study: "Study", day: date) -> pd.DataFrame:
    """Features of the customers active on a campaign's first day, or of a sample of them."""
    tables = study.data.tables
    cut = tables_up_to(tables, last_mark(tables.days.select("customer").distinct(), MOST_LEARNED))
    lengths = build.windows_that_fit(study.first_day, day)
    window = Window(day, lengths, study.horizon_days, (day - study.first_day).days)
    return build.frame(cut, window, study.active_within_days)
