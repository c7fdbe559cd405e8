"""Everything that a champion sees of a date: features, histories that tell regular buyers, and the year before."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from . import sampled
from .features import holdout
from .features.histories import distinct, histories
from .models.backtest import Origin

if TYPE_CHECKING:
    from .study import Study

LIVED = ["frequency", "recency", "T", "monetary_value"]
YEAR = timedelta(days=364)
"""52 weeks, so that weekdays are the same."""

YOUNGEST = 182
"""Days that the log must have known by then: what models expected of a younger one was off for other reasons."""


def days(study: "Study") -> list[date]:
    """Past dates to learn from: those of `Study.origins` and one half a horizon before each but the last."""
    half = timedelta(days=study.horizon_days - study.horizon_days // 2)
    wanted = study.origins()
    between = [day - half for day in wanted[:-1]]
    return sorted({*wanted, *between}, reverse=True)


def seen(study: "Study", day: date) -> Origin:
    """A date with its past, with the year before, and with what came after it where that is known.

    Its customers are those who can leave at the date, or a sample of them; its histories are everyone's.
    """
    found = Origin(sampled.features(study, day), gapped(study, day), day=day, year_before=year_before(study, day))
    return found if day + timedelta(days=study.horizon_days) > study.known_until else _over(study, found, day)


def gapped(study: "Study", day: date) -> pd.DataFrame:
    """Everyone's different histories: frequency, recency, T, weight, and log_gaps, see `features.holdout.log_gaps`."""
    tables = study.data.tables
    known = histories(tables, day).join(holdout.log_gaps(tables.days, day), "customer")
    return distinct(known, log_gaps=known.log_gaps.mean()).to_pandas()


def year_before(study: "Study", day: date) -> Origin | None:
    """What was known 52 weeks before a date of who could leave then, and what came; None if the log is too young."""
    before = day - YEAR
    if (before - study.first_day).days < max(study.horizon_days, YOUNGEST):
        return None
    tables = sampled.asked_tables(study, before)
    there = sampled.asked(study, tables, before)
    known = histories(tables, before).semi_join(there, "customer")
    lived = known.to_pandas().set_index("customer").sort_index()[LIVED]
    return _over(study, Origin(lived.astype("float64"), gapped(study, before), day=before), before)


def _over(study: "Study", found: Origin, day: date) -> Origin:
    """The origin with what came after it."""
    came = sampled.outcomes(study, sampled.asked_tables(study, day), day).loc[found.features.index]
    # Sums in another order differ in the last digits, and a tree may split between them.
    amounts = came[["purchases", "spend"]].astype("float64").round(9)
    return found._replace(churned=came["churned"].astype("bool"), amounts=amounts)
