"""Why a customer gets an action, in words: the values of the columns that the rule looks at."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from .action_rules import ActionRule
from .programme.rule_columns import COLUMNS

WORDS = {
    "days_since_last": "{:,.0f} day{s} since the last purchase",
    "purchase_days": "{:,.0f} day{s} with a purchase",
    "orders": "{:,.0f} receipt{s} in a year",
    "spend": "{:,.2f} spent in a year",
    "spend_rank": "spent more in a year than {:.0%} of the others",
    "usual_order": "a usual purchase of {:,.2f}",
    "usual_gap": "usually {:,.0f} day{s} between purchases",
    "overdue": "silent for {:.1f} usual gaps",
    "tenure_days": "{:,.0f} day{s} since the first purchase",
    "first_purchase": "first purchase on {:%Y-%m-%d}",
    "last_purchase": "last purchase on {:%Y-%m-%d}",
    "days_to_anniversary": "{:,.0f} day{s} to the anniversary of the first purchase",
    "days_to_birthday": "{:,.0f} day{s} to the birthday",
    "state": "state: {}",
    "segment": "segment: {}",
    "tier": "tier: {}",
    "tier_level": "tier number {:.0f}",
    "to_next_tier": "{:,.2f} below the next tier",
    "points_balance": "{:,.0f} point{s} on the account",
    "points_expiring": "{:,.0f} point{s} about to end",
    "days_to_expiry": "{:,.0f} day{s} until points end",
    "favourite_category": "buys most of {}",
    "favourite_on_offer": "the favourite category is {}on offer",
    "last_channel": "last bought by {}",
    "days_since_contact": "{:,.0f} day{s} since the last contact",
    "churn_probability": "probability of leaving {:.0%}",
    "expected_spend": "expected to spend {:,.2f}",
    "clv": "worth {:,.2f}",
    "clv_rank": "worth more than {:.0%} of the others",
}
"""Of each column of `rule_columns.COLUMNS`; `s` where there are several."""


def said(name: str, value: Any) -> str:
    """The value of a column, in words.

    Examples
    --------
    >>> said("days_since_last", 1.0), said("days_since_last", 12.0), said("favourite_on_offer", False)
    ('1 day since the last purchase', '12 days since the last purchase', 'the favourite category is not on offer')
    """
    if COLUMNS[name].kind == "truth":
        return WORDS[name].format("" if value else "not ")
    digits = WORDS[name].partition("{")[2].partition("}")[0]
    one = COLUMNS[name].kind == "number" and format(value, digits.lstrip(":")) == "1"
    return WORDS[name].format(value, s="" if one else "s")


def reasons(rule: ActionRule, rows: pd.DataFrame) -> pd.Series:
    """What is true of each customer that made the rule apply.

    Parameters
    ----------
    rows : the columns that the rule needs.

    Returns
    -------
    Text; index of `rows`. What is not known is left out.

    Examples
    --------
    >>> from .programme.default_rules import DEFAULTS
    >>> overdue = next(rule for rule in DEFAULTS if rule.name == "overdue")
    >>> reasons(overdue, pd.DataFrame({"state": ["slipping"], "overdue": [2.34]})).tolist()
    ['state: slipping; silent for 2.3 usual gaps']
    """
    told = [
        rows[name].map(partial(said, name), na_action="ignore").astype("object").where(rows[name].notna(), None)
        for name in rule.needs
    ]
    parts = zip(*told, strict=True) if told else ()
    return pd.Series(["; ".join(filter(None, each)) for each in parts], index=rows.index, dtype="str")
