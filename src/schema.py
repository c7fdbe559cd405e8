"""What a dataset file may say: its sections and keys, typed, with their defaults.

`settings.load_dataset` reads a file into `Dataset`. A role whose rows lie in several places is a list of tables
(`[[transactions]]`), stacked into one.
"""

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from .formats import DIRECTIVES, missing_directives, unknown_directives

Days = Annotated[int, Field(ge=1, le=3650, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Format = Literal["parquet", "csv", "whitespace", "excel", "jsonl"]
T = TypeVar("T")


def _as_list(value: Any) -> Any:
    """One table as a list of one."""
    return (value,) if isinstance(value, dict) else value


Stacked = Annotated[tuple[T, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""One table, or several of the same role."""


class Section(BaseModel):
    """A part of a dataset file: keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Table(Section):
    """Where a table is.

    Attributes
    ----------
    source : a path below the project's folder, a glob, `package:NAME/PATH`, or a database:
        `postgres://user@host:port/database`, `sqlite:PATH`, `duckdb:PATH`. A password never stands here: it is
        read from the environment (`LOYALTY_DB_PASSWORD`, else `PGPASSWORD`).
    table : in a database, `name` or `schema.name`.
    sheet : of a workbook; the first if not given.
    format : told by the file's name if not given.
    encoding : of a text file, a name that Python knows, such as `utf-8`, `gbk`, `latin-1`; found out if not given.
    delimiter : between the columns of a CSV; found out if not given.
    decimal : sign before the decimals of a text file's numbers.
    thousands : sign between the thousands of a text file's numbers.
    """

    source: str = Field(min_length=1)
    table: str | None = None
    sheet: str | None = None
    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)  # Python also knows codecs of other things than text
            except LookupError:
                raise ValueError("the name of an encoding, such as 'utf-8', 'gbk' or 'latin-1'") from None
        return value

    @field_validator("source")
    @classmethod
    def _holds_no_password(cls, value: str) -> str:
        _, mark, rest = value.partition("://")
        told = ":" in rest.rpartition("@")[0] or "password=" in rest.lower()
        if mark and told:
            raise ValueError(
                "a database address without a password, which belongs in the environment as LOYALTY_DB_PASSWORD"
            )
        return value


def _is_a_time_format(value: str | None) -> str | None:
    if value is not None and (unknown := unknown_directives(value)):
        known = ", ".join(f"%{name}" for name in DIRECTIVES)
        raise ValueError(
            f"a time format made of {known} and the signs between them ({', '.join(unknown)} is not known)"
        )
    if value is not None and (lacking := missing_directives(value)):
        raise ValueError(f"a time format with year, month and day, such as %d.%m.%Y (it lacks {', '.join(lacking)})")
    return value


TimeFormat = Annotated[str | None, AfterValidator(_is_a_time_format)]


class Timed(Table):
    """A table whose rows happened at a time.

    Attributes
    ----------
    time : column.
    time_format : how a time written as text is to be read, such as `%d.%m.%Y %H:%M`; ISO 8601 if not given.
    time_is : whether a time without a zone is the store's own clock or UTC.
    """

    time: str
    time_format: TimeFormat = None
    time_is: Literal["local", "utc"] = "local"


class Channeled(Table):
    """A table whose customers may have another number in each channel; see `Identity`.

    Attributes
    ----------
    customer : column.
    channel : column with the channel (web shop, app, till …).
    channel_is : the channel, where all rows of the table are of one.
    """

    customer: str
    channel: str | None = None
    channel_is: str | None = None


class Transactions(Timed, Channeled):
    """The purchase log, one row a line item or a receipt.

    Attributes
    ----------
    amount : column with what the retailer received; negative for a return.
    quantity : column to multiply `amount` by, where that is the price of one piece.
    currency : column with the currency of each line.
    order : column with the receipt's number.
    discount : columns with money that was taken off.
    coupon : those of them that needed a coupon.
    category : column with the kind of the product, where no `[products]` table says it.
    """

    amount: str
    quantity: str | None = None
    currency: str | None = None
    order: str | None = None
    discount: tuple[str, ...] = ()
    coupon: tuple[str, ...] = ()
    product: str | None = None
    category: str | None = None
    store: str | None = None


class Products(Table):
    """What is sold."""

    product: str
    category: str


class Customers(Channeled):
    """What is known of customers beside their purchases.

    Attributes
    ----------
    attributes : columns that become categories of the profile, such as an age band or a region.
    joined : column with the day on which the customer joined the programme.
    birthday : column.
    time_format : of both, where they are text, see `Timed`.
    """

    attributes: tuple[str, ...] = ()
    joined: str | None = None
    birthday: str | None = None
    time_format: TimeFormat = None


class Campaigns(Table):
    """Campaigns with their first day; `time_format` as in `Timed`."""

    campaign: str
    start: str
    time_format: TimeFormat = None


class Contacts(Channeled):
    """Which customer was sent which campaign; dated by `time`, or by the campaign's first day.

    Attributes
    ----------
    group : column that says who was held out on purpose, to be compared with.
    held_out : what it says of them; they were not contacted.
    """

    campaign: str
    time: str | None = None
    time_format: TimeFormat = None
    time_is: Literal["local", "utc"] = "local"
    group: str | None = None
    held_out: tuple[str, ...] = ("control", "held out", "holdout")


class Redemptions(Timed, Channeled):
    """Coupons handed in."""


class Points(Timed, Channeled):
    """Movements of points.

    Attributes
    ----------
    points : column; positive where points are earned, negative where they are spent or expire.
    kind : column that says why, such as earn, redeem, expire, adjust.
    """

    points: str
    kind: str | None = None


class Consent(Timed, Channeled):
    """What customers agreed to, and when.

    Attributes
    ----------
    granted : column, true where consent was given, false where it was withdrawn.
    purpose : column, such as analysis, profiling, contact.
    """

    granted: str
    purpose: str | None = None


class Identity(Table):
    """Which number of a channel is which customer: the omnichannel customer is one customer.

    Attributes
    ----------
    id : column with the number that the channel uses.
    customer : column with the customer's one key.
    channel : column; without it a number means the same customer in every channel.
    """

    id: str
    customer: str
    channel: str | None = None


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


class HappeningTable(Table):
    """A table of happenings; `until` is the last day of one, `time_format` as in `Timed`."""

    day: str = "day"
    name: str = "name"
    until: str | None = None
    time_format: TimeFormat = None


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
    origins : past dates, one horizon apart, that the churn model learns from.
    margin : share of spend that is left after the cost of goods.
    annual_discount_rate : of money, per year.
    """

    horizon_days: Days
    active_within_days: Days
    origins: Annotated[int, Field(ge=1, le=24, strict=True)] = 3
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
    training_customers : the most customers whose features are brought to one machine to learn from.
    memory_gb : the most that DuckDB may use before it writes to disk.
    """

    master: str = "local[*]"
    options: dict[str, str | int | float | bool] = {}
    training_customers: Annotated[int, Field(ge=1000, strict=True)] = 200_000
    memory_gb: Annotated[float, Field(gt=0)] | None = None


class Dataset(Section):
    """All that a dataset file says."""

    title: str = Field(min_length=1)
    notice: str = ""
    currency: str = Field(pattern="^[A-Z]{3}$")
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

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("a time zone of the IANA list, such as 'Europe/Berlin'") from None
        return value
