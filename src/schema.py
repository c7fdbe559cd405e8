"""What a dataset file may say: its sections and keys, typed, with their defaults.

`settings.load_dataset` reads a file into `Dataset`. Its tables and the roles of their columns are in `roles`. A role
whose rows lie in several places is a list of tables (`[[transactions]]`), stacked into one.
"""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .action_rules import ActionRule, Actions, AssumedEffect, OnOffer
from .aims import Budget, Goal, Goals, Share
from .notation import DEFAULT, NumberFormat
from .points_rules import PointsRules
from .roles import (
    Campaigns,
    Channeled,
    Consent,
    Contacts,
    Coupons,
    Customers,
    ExperimentTable,
    Format,
    HappeningTable,
    Identity,
    Opens,
    Points,
    Products,
    Redemptions,
    Section,
    Survey,
    Table,
    Timed,
    Transactions,
)

__all__ = [
    "ActionRule", "Actions", "AssumedEffect",
    "Budget", "Campaigns", "Channeled", "Consent", "Contacts", "Contract", "Coupons", "Customers", "Dataset", "Engine",
    "Events", "ExperimentTable", "Format", "Goal", "Goals", "Happening", "HappeningTable", "Identity", "OnOffer",
    "Opens", "Points", "PointsRules", "Privacy", "Products", "Programme", "Redemptions", "Section", "Share",
    "StudySettings", "Survey", "Table", "Tier", "Timed", "Transactions",
]  # fmt: skip

Days = Annotated[int, Field(ge=1, le=3650, strict=True)]
Threshold = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SCENARIOS = ("lower", "higher", "richer")
"""Of tiers, that are replayed anyway."""
BELOW_FIRST = "none"
"""The tier of customers below the first."""

T = TypeVar("T")


def _as_list(value: Any) -> Any:
    """One table as a list of one."""
    return (value,) if isinstance(value, dict) else value


Stacked = Annotated[tuple[T, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""One table, or several of the same role."""


class Happening(Section):
    """A dated event outside the log: a holiday, a price change, a competitor's launch, an outage.

    Attributes
    ----------
    day : first day.
    until : last day; the first if not given.
    name : few words, as a chart shows them.
    """

    day: date
    until: date | None = None
    name: str = Field(min_length=1, max_length=40)


class Events(Section):
    """Happenings that every chart over time marks.

    Attributes
    ----------
    marked : written in the dataset file itself.
    table : a table of them.
    """

    marked: tuple[Happening, ...] = ()
    table: HappeningTable | None = None


class Tier(Section):
    """A level of the programme, reached with `spend`, or with `points` earned, within the qualifying period."""

    name: str = Field(min_length=1)
    spend: Threshold | None = None
    points: Threshold | None = None

    @model_validator(mode="after")
    def _has_one_threshold(self) -> Self:
        if (self.spend is None) == (self.points is None):
            raise ValueError("a name and either spend or points")
        return self

    @property
    def threshold(self) -> float:
        """The spend or the points that reach it."""
        return float(self.spend or self.points or 0.0)


class Programme(Section):
    """The loyalty programme.

    Attributes
    ----------
    tiers : from the lowest to the highest; a customer below the first has none.
    qualifying_period : whose spend or points decide the tier: the last `qualifying_days`, or a calendar period.
    qualifying_days : length of a rolling period.
    grace_days : for which a tier is kept after the last day on which it was still reached or, of a calendar period,
        after the last day of those for which it is kept anyway.
    grace_periods : calendar periods for which a tier is kept after the one in which it was reached.
    downgrade : what comes then: the tier that is still reached, or one step lower for one more qualifying period.
    points : how points are earned and how long they last, where the programme has any.
    high_value_spend : of a year, from which a customer is of high value; the highest yearly tier's if not given.
    other_thresholds : of all tiers, by name of a scenario: replayed on the purchases beside the present ones.
    stop_redemption_below : share of the customers reached; a campaign in which fewer hand in a coupon is to be stopped.
    stop_redemption_of : the same for single campaigns, or types of campaigns, by name.
    stop_after_days : from its first day, before which no campaign is judged; one that is over is judged then.
    """

    tiers: tuple[Tier, ...] = ()
    qualifying_period: Literal["rolling", "year", "quarter", "month"] = "rolling"
    qualifying_days: Days = 365
    grace_days: Annotated[int, Field(ge=0, le=3650, strict=True)] = 0
    grace_periods: Annotated[int, Field(ge=0, le=120, strict=True)] = 0
    downgrade: Literal["reached", "step"] = "reached"
    points: PointsRules | None = None
    high_value_spend: Threshold | None = None
    other_thresholds: dict[str, tuple[Threshold, ...]] = Field(default_factory=dict)
    stop_redemption_below: Share | None = None
    stop_redemption_of: dict[str, Share] = Field(default_factory=dict)
    stop_after_days: Days = 28

    @field_validator("tiers")
    @classmethod
    def _rise(cls, value: tuple[Tier, ...]) -> tuple[Tier, ...]:
        if len({tier.spend is None for tier in value}) > 1:
            raise ValueError("tiers that are all reached by spend, or all by points")
        if any(lower.threshold >= higher.threshold for lower, higher in pairwise(value)):
            raise ValueError("tiers in order, each with more spend or points than the one before")
        if len({tier.name for tier in value}) < len(value):
            raise ValueError("tiers with different names")
        return value

    @field_validator("grace_periods")
    @classmethod
    def _counts_periods(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("qualifying_period") == "rolling":
            raise ValueError("0 where the qualifying period is rolling, whose grace is told by grace_days")
        return value

    @model_validator(mode="after")
    def _tiers_are_known(self) -> Self:
        names = [tier.name for tier in self.tiers]
        if BELOW_FIRST in names:
            raise ValueError(f"no tier called {BELOW_FIRST!r}, which is what customers below the first have")
        given = self.points.tier_multipliers if self.points else {}
        if self.tiers and (unknown := sorted(set(given) - set(names))):
            raise ValueError(
                f"points.tier_multipliers of tiers among {', '.join(names)}, found {', '.join(unknown)}; add the tier "
                "or correct its name"
            )
        return self

    @model_validator(mode="after")
    def _others_fit(self) -> Self:
        for name, thresholds in self.other_thresholds.items():
            rise = all(lower < higher for lower, higher in pairwise(thresholds))
            if name in SCENARIOS or not thresholds or len(thresholds) != len(self.tiers) or not rise:
                raise ValueError(
                    f"other_thresholds.{name} with a rising threshold for each of {len(self.tiers)} tiers, and a name "
                    f"that is none of {', '.join(SCENARIOS)}"
                )
        return self

    @property
    def rolling_spend(self) -> tuple[float, ...]:
        """Thresholds of tiers that the spend of the last `qualifying_days` decides; none where something else does."""
        told = [tier.spend for tier in self.tiers if tier.spend is not None]
        return tuple(told) if self.qualifying_period == "rolling" else ()


class Contract(Section):
    """What is done with lines that are wrong or odd, and how much data is too little; see `features.contract`.

    Attributes
    ----------
    no_customer, no_time, no_amount : lines that lack one of these: set aside, or the whole log refused.
    impossible_date, future_date : before `earliest_date`, after today.
    duplicate_line : the same in every column that is read, in a log with receipt numbers; one of them is kept.
    duplicate_receipt : a receipt number that comes again with another customer or day, and, in a log whose lines
        are receipts, at all: all of its lines. Returns are none.
    negative_amount : a return: set against the same customer's purchases, or set aside.
    zero_amount : kept (a day worth nothing in all is no purchase), counted as a purchase, or set aside.
    extreme_amount : more than `extreme_times` the 99.9th percentile of the amounts above zero.
    other_currency : not the dataset's.
    most_quarantined : share of lines set aside above which the log is refused.
    minimum_customers : with a purchase before the as-of date, below which no score is given.
    minimum_horizons : of history before the as-of date, below which no score is given.
    silent_share : the last part of the history, as a share of it, that must hold a line; a whole horizon always must.
    """

    no_customer: Literal["quarantine", "refuse"] = "quarantine"
    no_time: Literal["quarantine", "refuse"] = "quarantine"
    no_amount: Literal["quarantine", "refuse"] = "quarantine"
    impossible_date: Literal["quarantine", "refuse"] = "quarantine"
    future_date: Literal["quarantine", "refuse"] = "quarantine"
    duplicate_line: Literal["keep", "quarantine", "refuse"] = "quarantine"
    duplicate_receipt: Literal["keep", "quarantine", "refuse"] = "keep"
    negative_amount: Literal["net", "quarantine", "refuse"] = "net"
    zero_amount: Literal["keep", "purchase", "quarantine", "refuse"] = "keep"
    extreme_amount: Literal["keep", "quarantine", "refuse"] = "keep"
    other_currency: Literal["quarantine", "refuse"] = "quarantine"
    earliest_date: date = date(1990, 1, 1)
    extreme_times: Annotated[float, Field(gt=1)] = 20.0
    most_quarantined: Share = 0.2
    minimum_customers: Annotated[int, Field(ge=2, strict=True)] = 500
    minimum_horizons: Annotated[float, Field(ge=2)] = 2.0
    silent_share: Annotated[float, Field(gt=0, le=1)] = 0.1


class StudySettings(Section):
    """How far ahead to look, who counts as active, and what a sale earns.

    Attributes
    ----------
    horizon_days : length of the period that is predicted, days.
    active_within_days : a customer is active if the last purchase is at most this many days old.
    churn : what leaving means, see `features.labels.labels`.
    origins : past dates, one horizon apart, that the churn model learns from; at least four, where the log reaches
        back so far.
    margin : share of spend that is left after the cost of goods.
    annual_discount_rate : of money, per year.
    """

    horizon_days: Days
    active_within_days: Days
    churn: Literal["no purchase", "partial defection", "contract end"] = "no purchase"
    origins: Annotated[int, Field(ge=1, le=24, strict=True)] = 4
    margin: Annotated[float, Field(gt=0, le=1, strict=True)]
    annual_discount_rate: Annotated[float, Field(ge=0, lt=1, strict=True)] = 0.1


class Privacy(Section):
    """What may be published."""

    minimum_cell: Annotated[int, Field(ge=2, strict=True)] = 10


class Engine(Section):
    """Where the tables are computed.

    Attributes
    ----------
    master : of Spark.
    options : of Spark, such as `"spark.executor.memory" = "8g"`.
    training_customers : the most customers at a date whose rows are brought to one machine, to learn from and to
        report on; of more, a fixed sample is.
    memory_gb : the most that DuckDB may use before it writes to disk.
    device : where trees are grown.
    """

    master: str = "local[*]"
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    training_customers: Annotated[int, Field(ge=1000, strict=True)] = 200_000
    memory_gb: Annotated[float, Field(gt=0)] | None = None
    device: Literal["cpu", "cuda"] = "cpu"


class Dataset(Section):
    """All that a dataset file says: of a purchase log, of an experiment, or of both.

    Attributes
    ----------
    currency : of all amounts, ISO 4217.
    number_format : how numbers are written on pages, see `notation.MARKS`.
    """

    title: str = Field(min_length=1)
    notice: str = ""
    currency: str
    number_format: NumberFormat = DEFAULT
    timezone: str
    engine: Literal["duckdb", "spark"] = "duckdb"
    experiment: ExperimentTable | None = None
    transactions: Annotated[tuple[Transactions, ...], BeforeValidator(_as_list)] = Field((), validate_default=True)
    products: Stacked[Products] | None = None
    customers: Stacked[Customers] | None = None
    campaigns: Stacked[Campaigns] | None = None
    contacts: Stacked[Contacts] | None = None
    opens: Stacked[Opens] | None = None
    redemptions: Stacked[Redemptions] | None = None
    coupons: Stacked[Coupons] | None = None
    points: Stacked[Points] | None = None
    survey: Stacked[Survey] | None = None
    consent: Stacked[Consent] | None = None
    identity: Stacked[Identity] | None = None
    events: Events = Events()
    programme: Programme = Programme()
    contract: Contract = Contract()
    study: StudySettings
    goals: Goals = Goals()
    budget: Budget = Budget()
    actions: Actions = Actions()
    privacy: Privacy = Privacy()
    engine_settings: Engine = Engine()

    @field_validator("transactions")
    @classmethod
    def _has_rows(cls, value: tuple[Transactions, ...], info: ValidationInfo) -> tuple[Transactions, ...]:
        if not value and info.data.get("experiment", True) is None:
            raise PydanticCustomError("missing", "a table")
        return value

    @field_validator("study", mode="before")
    @classmethod
    def _predicts_nothing(cls, value: Any, info: ValidationInfo) -> Any:
        """Without a log there is nothing to predict, and no number of days to say."""
        if isinstance(value, dict) and info.data.get("transactions") == ():
            return {"horizon_days": 1, "active_within_days": 1} | value
        return value

    @field_validator("study")
    @classmethod
    def _knows_who_leaves(cls, value: StudySettings, info: ValidationInfo) -> StudySettings:
        told = any(table.contract_end for table in info.data.get("customers") or ())
        if value.churn == "contract end" and not told:
            raise ValueError(
                "contract_end under [customers], the column with the last day of a contract, which "
                'churn = "contract end" is told by; add it, or choose another churn'
            )
        return value

    @field_validator("goals")
    @classmethod
    def _has_what_is_measured(cls, value: Goals, info: ValidationInfo) -> Goals:
        joined = any(table.joined for table in info.data.get("customers") or ())
        needs = {"members": ("joined under [customers]", joined)}
        for name, role in (("redemption", "points"), ("nps", "survey")):
            needs[name] = (f"a [{role}] table", bool(info.data.get(role)))
        for name in value.dated:
            what, there = needs.get(name, ("", True))
            if not there:
                raise ValueError(f"{what}, which goals.{name} is measured on")
        return value

    @field_validator("currency")
    @classmethod
    def _is_a_code(cls, value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value):
            raise ValueError("a three-letter code in capitals, such as EUR")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("a time zone of the IANA list, such as 'Europe/Berlin'") from None
        return value
