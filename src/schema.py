"""What a dataset file may say: its sections and keys, typed, with their defaults.

`settings.load_dataset` reads a file into `Dataset`. Its tables and the roles of their columns are in `roles`. A role
whose rows lie in several places is a list of tables (`[[transactions]]`), stacked into one.
"""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator

from .roles import (
    Campaigns,
    Channeled,
    Consent,
    Contacts,
    Customers,
    Format,
    HappeningTable,
    Identity,
    Points,
    Products,
    Redemptions,
    Section,
    Table,
    Timed,
    Transactions,
)

__all__ = [
    "Campaigns", "Channeled", "Consent", "Contacts", "Contract", "Customers", "Dataset", "Engine", "Events", "Format",
    "Goals", "Happening", "HappeningTable", "Identity", "Points", "Privacy", "Products", "Programme", "Redemptions",
    "Section", "StudySettings", "Table", "Tier", "Timed", "Transactions",
]  # fmt: skip

Days = Annotated[int, Field(ge=1, le=3650, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
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
    """A level of the programme, reached with `spend` within the qualifying period."""

    name: str = Field(min_length=1)
    spend: Annotated[float, Field(gt=0)]


class Programme(Section):
    """The loyalty programme.

    Attributes
    ----------
    tiers : from the lowest to the highest; a customer below the first has none.
    qualifying_days : length of the period whose spend decides the tier.
    """

    tiers: tuple[Tier, ...] = ()
    qualifying_days: Days = 365

    @field_validator("tiers")
    @classmethod
    def _rise(cls, value: tuple[Tier, ...]) -> tuple[Tier, ...]:
        if any(lower.spend >= higher.spend for lower, higher in pairwise(value)):
            raise ValueError("tiers in order, each with more spend than the one before")
        return value


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
    origins : past dates, one horizon apart, that the churn model learns from; at least four, where the log reaches
        back so far.
    margin : share of spend that is left after the cost of goods.
    annual_discount_rate : of money, per year.
    """

    horizon_days: Days
    active_within_days: Days
    origins: Annotated[int, Field(ge=1, le=24, strict=True)] = 4
    margin: Annotated[float, Field(gt=0, le=1, strict=True)]
    annual_discount_rate: Annotated[float, Field(ge=0, lt=1, strict=True)] = 0.1


class Goals(Section):
    """What the retailer wants to reach; a report shows the actual value against it."""

    repurchase_rate: Share | None = None
    churn_rate: Share | None = None


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
    """

    master: str = "local[*]"
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    training_customers: Annotated[int, Field(ge=1000, strict=True)] = 200_000
    memory_gb: Annotated[float, Field(gt=0)] | None = None


class Dataset(Section):
    """All that a dataset file says."""

    title: str = Field(min_length=1)
    notice: str = ""
    currency: str
    timezone: str
    engine: Literal["duckdb", "spark"] = "duckdb"
    transactions: Stacked[Transactions]
    products: Stacked[Products] | None = None
    customers: Stacked[Customers] | None = None
    campaigns: Stacked[Campaigns] | None = None
    contacts: Stacked[Contacts] | None = None
    redemptions: Stacked[Redemptions] | None = None
    points: Stacked[Points] | None = None
    consent: Stacked[Consent] | None = None
    identity: Stacked[Identity] | None = None
    events: Events = Events()
    programme: Programme = Programme()
    contract: Contract = Contract()
    study: StudySettings
    goals: Goals = Goals()
    privacy: Privacy = Privacy()
    engine_settings: Engine = Engine()

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
