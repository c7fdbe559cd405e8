"""The columns that the conditions of rules may look at: `python -m loyalty.programme.rule_columns` prints them.

How they are computed is in `rule_values`.
"""

import sys
from dataclasses import dataclass

from .states import STATES

SEGMENTS = ("Champions", "Loyal", "Slipping", "Occasional", "New", "Cooling", "Dormant")
"""See `features.rfm.SEGMENTS`."""
SOON_DAYS = 30
"""Days ahead in which points count as expiring."""
UNSEEN_DAYS = 90
"""Days at a log's beginning in which a purchase may look like a first one and be none."""
CALLED = {"number": "number", "text": "text", "truth": "true or false", "date": "date"}


@dataclass(frozen=True)
class RuleColumn:
    """What a column of conditions means.

    Attributes
    ----------
    kind : number, text, truth (true or false) or date.
    unit : of a number.
    meaning : how it is computed; days are whole and counted to the as-of date.
    unknown : who has no value.
    needs : the key of a dataset file without which the column is not there.
    values : the only texts that it can hold.
    """

    kind: str
    unit: str
    meaning: str
    unknown: str = "nobody"
    needs: str = "transactions"
    values: tuple[str, ...] = ()


SILENT, UNSCORED = "who bought nothing in the last 365 days", "who is not scored"
SCORES, TIERS, EXPIRY = "scores", "programme.tiers", "points and programme.points.expiry_months or expiry_days"

COLUMNS: dict[str, RuleColumn] = {
    "days_since_last": RuleColumn("number", "days", "since the last purchase"),
    "purchase_days": RuleColumn("number", "count", "days with a purchase, ever"),
    "orders": RuleColumn("number", "count", "receipts of the last 365 days"),
    "spend": RuleColumn("number", "money", "spend of the last 365 days, less what was given back"),
    "spend_rank": RuleColumn(
        "number", "share", "share of the customers of the last 365 days who spent less in them; 0.9 is the top tenth",
        SILENT,
    ),
    "usual_order": RuleColumn("number", "money", "all spend, less what was given back, over purchase days; at least 0"),
    "usual_gap": RuleColumn(
        "number", "days", "usual days between purchases, drawn to those of the base where few are known; see States"
    ),
    "overdue": RuleColumn("number", "ratio", "days_since_last over usual_gap; above 1 the next purchase is due"),
    "tenure_days": RuleColumn("number", "days", "since the first purchase"),
    "first_purchase": RuleColumn("date", "", "day of the first purchase"),
    "last_purchase": RuleColumn("date", "", "day of the last purchase"),
    "days_to_anniversary": RuleColumn(
        "number", "days",
        "to the next anniversary of the first purchase, 0 on the day; 29 February is kept on the 28th",
        f"who first bought in the first {UNSEEN_DAYS} days of the log, and may have bought before it",
    ),
    "days_to_birthday": RuleColumn(
        "number", "days", "to the next birthday, 0 on the day", "whose birthday is not known", "customers.birthday"
    ),
    "state": RuleColumn("text", "", "state of the customer's life, see States", values=tuple(STATES)),
    "segment": RuleColumn("text", "", "segment of the last 365 days", SILENT, values=SEGMENTS),
    "tier": RuleColumn("text", "", "name of the tier; 'none' below the first", needs=TIERS),
    "tier_level": RuleColumn("number", "level", "tiers reached, 0 below the first", needs=TIERS),
    "to_next_tier": RuleColumn(
        "number", "money or points", "what is missing for the next tier, in what the tiers are reached by",
        "who is in the highest tier", TIERS,
    ),
    "points_balance": RuleColumn(
        "number", "points", "on the account; where the table does not say which have expired, the rules do",
        needs="points",
    ),
    "points_expiring": RuleColumn(
        "number", "points", f"points that are gone within {SOON_DAYS} days if they are not used", needs=EXPIRY
    ),
    "days_to_expiry": RuleColumn("number", "days", "until the first points are gone", "who has none", EXPIRY),
    "favourite_category": RuleColumn(
        "text", "", "category on which most was spent; of equals the first by name",
        "who paid for none that is known", "products.category",
    ),
    "favourite_on_offer": RuleColumn(
        "truth", "", "whether that category is on offer at the as-of date", "who has no favourite category",
        "products.category and actions.offers",
    ),
    "last_channel": RuleColumn(
        "text", "", "channel of the last purchase; of several on a day the first by name", "whose channel is not known",
        "transactions.channel",
    ),
    "days_since_contact": RuleColumn(
        "number", "days", "since the last campaign was received", "who was never contacted", "contacts"
    ),
    "churn_probability": RuleColumn("number", "share", "that nothing is bought in the horizon", UNSCORED, SCORES),
    "expected_spend": RuleColumn("number", "money", "expected in the horizon", UNSCORED, SCORES),
    "clv": RuleColumn("number", "money", "expected margin, discounted", UNSCORED, SCORES),
    "clv_rank": RuleColumn(
        "number", "share", "share of the scored customers with less clv; 0.9 is the top tenth", UNSCORED, SCORES
    ),
}  # fmt: skip
"""All columns by name. Consent is none of them: it is applied to whatever rules say, last of all."""

KINDS: dict[str, str | tuple[str, ...]] = {name: column.values or column.kind for name, column in COLUMNS.items()}
"""What `rule_language.parse` asks for."""


def text() -> str:
    """All columns as a table in Markdown, as docs/rules.md has it.

    Examples
    --------
    >>> print(text().splitlines()[0])
    | column | kind | unit | meaning | unknown of | needs |
    """
    rows = ["| column | kind | unit | meaning | unknown of | needs |", "|---|---|---|---|---|---|"]
    for name, column in COLUMNS.items():
        meaning = column.meaning
        if column.values:
            meaning += ": " + ", ".join(map(repr, column.values))
        told = (f"`{name}`", CALLED[column.kind], column.unit, meaning, column.unknown, column.needs)
        rows.append(f"| {' | '.join(told)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
