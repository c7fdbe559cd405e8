"""Kinds of findings about a log, in words, and what one finding says."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["note", "warning", "refusal"]
Done = Literal["kept", "netted", "quarantined", "refused", "counted"]


@dataclass(frozen=True)
class Finding:
    """A kind of finding.

    Attributes
    ----------
    label : what a reader sees.
    means : one sentence for someone who does not know the log.
    mend : what to do where it is not as it should be.
    key : of `[contract]` that says what is done; empty where nothing can be done to a line.
    """

    label: str
    means: str
    mend: str
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One finding in a log; what does not concern lines, or has no worth in money, is None there.

    Attributes
    ----------
    name : of `FINDINGS`.
    severity : a refusal means that no score is given.
    done : what happened to the lines; `counted` where only told.
    rule : that decided it, as it would stand in the dataset file.
    detail : one sentence with the numbers.
    lines, share, money, customers : lines concerned, share of all lines, their amounts added up in the dataset's
        currency (of lines in others `detail` tells what they are worth), different customers.
    sample : a few of them, the least in order of day, time, customer and all other columns; of another table a few of
        its rows. Holds personal data.
    """

    name: str
    severity: Severity
    done: Done
    detail: str
    rule: str = ""
    lines: int | None = None
    share: float | None = None
    money: float | None = None
    customers: int | None = None
    sample: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """All of it with the words of its kind, as plain values."""
        kind = FINDINGS[self.name]
        return {"label": kind.label, "means": kind.means, "mend": kind.mend, **asdict(self)}


_SPAN = "check the as-of date, and whether the whole history was exported"

FINDINGS: dict[str, Finding] = {
    "no_customer": Finding(
        "Without a customer", "Nobody can be named who bought.", "check transactions.customer", "contract.no_customer"
    ),
    "no_time": Finding(
        "Without a date that can be read",
        "It is not known when it was.",
        "check transactions.time and transactions.time_format",
        "contract.no_time",
    ),
    "impossible_date": Finding(
        "Before the earliest possible date",
        "Such dates stand where none was known.",
        "check contract.earliest_date",
        "contract.impossible_date",
    ),
    "future_date": Finding(
        "Dated after today",
        "It cannot have happened yet.",
        "check transactions.time_format and timezone",
        "contract.future_date",
    ),
    "no_amount": Finding(
        "Without an amount that can be read",
        "It is not known what it was worth.",
        "check transactions.amount, decimal and thousands",
        "contract.no_amount",
    ),
    "other_currency": Finding(
        "In another currency",
        "Amounts of two currencies cannot be added up.",
        "convert them, or describe them in a dataset of their own",
        "contract.other_currency",
    ),
    "duplicate_line": Finding(
        "Equal to another line",
        "The same line came twice: every column that is read is equal.",
        "if the till writes one line for each piece sold, set contract.duplicate_line = 'keep'",
        "contract.duplicate_line",
    ),
    "duplicate_receipt": Finding(
        "On a receipt that came twice",
        "One receipt number stands for several customers, days or receipts.",
        "check transactions.order: it must name one receipt",
        "contract.duplicate_receipt",
    ),
    "negative_amount": Finding(
        "Below zero (returns)",
        "Something was given back.",
        "set contract.negative_amount = 'quarantine' to leave them out",
        "contract.negative_amount",
    ),
    "zero_amount": Finding(
        "Worth nothing",
        "Something was given away.",
        "contract.zero_amount = 'purchase' makes it a purchase",
        "contract.zero_amount",
    ),
    "extreme_amount": Finding(
        "Extremely large",
        "Far above nearly all other amounts.",
        "check transactions.decimal, or raise contract.extreme_times",
        "contract.extreme_amount",
    ),
    "gap_days": Finding(
        "Days without a line",
        "On such weekdays there usually are some.",
        "ask whether the shop was closed or the export failed",
    ),
    "level_break": Finding(
        "Weeks far from the usual level",
        "A till, a store or a channel may have stopped reporting.",
        "ask what happened in that week, and note it under events.marked",
    ),
    "skipped_hour": Finding(
        "Times that the clock left out",
        "They do not exist in this time zone.",
        "check timezone and transactions.time_is",
    ),
    "repeated_hour": Finding(
        "Times that the clock had twice",
        "Which of the two hours it was is not known.",
        "nothing, unless an hour matters",
    ),
    "unusable_rows": Finding(
        "Rows of another table that cannot be used",
        "They lack a customer, a day that can be read, or a name.",
        "check the columns and time_format of that table",
    ),
    "shared_number": Finding(
        "Numbers that stand for several customers",
        "The identity table gives one number of a channel to several customers; only one of them can have bought.",
        "correct the identity table: one customer for each number of a channel",
    ),
    "one_customer": Finding(
        "One customer buys for many",
        "Its number may stand for everyone without a card.",
        "leave the customer empty on such lines, so that they are set aside",
    ),
    "strangers": Finding(
        "Another table's customers are not those of the log",
        "Their numbers may be written in another way.",
        "check its customer column, or bring an [identity] table",
    ),
    "survey_scale": Finding(
        "Answers outside the scale",
        "A net promoter score is made of whole numbers from 0 to 10.",
        "check survey.score: it must name the column of the answers from 0 to 10",
    ),
    "redemption_unknown_coupon": Finding(
        "Redemptions of an unknown coupon",
        "The table of coupons does not list them, or lists them under another campaign.",
        "bring the whole table of coupons, and check redemptions.coupon",
    ),
    "redemption_both_arms": Finding(
        "Redemptions by customers in both arms",
        "It is not known whether they had been sent the campaign.",
        "correct contacts.group: one arm for each customer of a campaign",
    ),
    "redemption_held_out": Finding(
        "Redemptions by customers who were held out",
        "They were not to have the coupon: the comparison with them understates what the campaign did.",
        "ask how the coupon came to them, and check contacts.group and contacts.held_out",
    ),
    "redemption_no_contact": Finding(
        "Redemptions without a contact",
        "The customer is not known to have been sent the campaign.",
        "bring all contacts, and check redemptions.customer and redemptions.campaign",
    ),
    "redemption_outside_window": Finding(
        "Redemptions outside the campaign's days",
        "A coupon was taken before it was sent or after it ended.",
        "check campaigns.start, campaigns.end and redemptions.time",
    ),
    "both_arms": Finding(
        "Customers both treated and held out",
        "A customer of a campaign belongs to one arm.",
        "correct contacts.group",
    ),
    "empty_campaign": Finding(
        "Campaigns that nobody received",
        "They have no rates.",
        "check contacts.campaign, and whether all contacts were exported",
    ),
    "hold_out_no_share": Finding(
        "Campaigns whose planned hold-out is no share",
        "It must lie between 0 and 1, so the sizes of their arms are not held against it.",
        "write 0.2 for 20 %, and check campaigns.hold_out",
    ),
    "points_negative_balance": Finding(
        "Points spent that were not there",
        "A redemption is larger than the balance, or movements before it are missing.",
        "bring the whole ledger of points, and check points.points",
    ),
    "points_unknown_kind": Finding(
        "Movements of points of an unknown kind",
        "It is not known whether they were earned, redeemed, adjusted or expired.",
        "say what the words mean under programme.points.kinds",
    ),
    "points_wrong_sign": Finding(
        "Movements of points with the wrong sign",
        "Points earned are above zero, those redeemed, expired or returned below.",
        "check points.points and points.kind",
    ),
    "points_split": Finding(
        "Points that are split",
        "They have more decimals than the rules allow.",
        "set programme.points.whole = false, or check points.points",
    ),
    "points_unknown_customer": Finding(
        "Points of customers who never bought",
        "The log does not know them.",
        "check points.customer, or bring the whole log",
    ),
    "points_redeemed_late": Finding(
        "Points redeemed after they had expired",
        "By the rules they were gone: customers were given more than the account tells, or the rules are not those.",
        "check programme.points.expiry_days or expiry_months, or bring what expired as movements of kind 'expire'",
    ),
    "points_expiry_differs": Finding(
        "Points that expired otherwise than the rules say",
        "The rules of the dataset file are not those of the ledger, or points expired twice.",
        "check programme.points.expiry_days or expiry_months",
    ),
    "night_hours": Finding(
        "Mostly between midnight and five",
        "The clock may be that of another time zone.",
        "set transactions.time_is = 'utc', or correct timezone",
    ),
    "late": Finding("The log ends before the report's date", "Its last days are not known yet.", _SPAN),
    "thin_history": Finding(
        "Little history",
        "Less than three horizons are known: intervals are widened.",
        "shorten horizon_days, or bring more history",
    ),
    "too_many_set_aside": Finding(
        "Too many lines set aside", "A column is probably misread.", "mend the column", "contract.most_quarantined"
    ),
    "few_customers": Finding(
        "Too few customers", "Nothing reliable can be said of so few.", _SPAN, "contract.minimum_customers"
    ),
    "short_history": Finding("Too little history", "A forecast cannot be tested.", _SPAN, "contract.minimum_horizons"),
    "stale": Finding("Stale", "The log has stopped.", _SPAN, "contract.silent_share"),
}
"""Kinds of findings by name, in the order in which they are told where equally bad."""
