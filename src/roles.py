"""The tables of a dataset file: where each is, how it is written, and the roles of its columns."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from .formats import DIRECTIVES, NAMED, missing_directives, unknown_directives

Format = Literal["parquet", "csv", "whitespace", "excel", "json", "jsonl"]
"""json is an array of objects, jsonl one object a line."""


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
    header_row : the row with the names of the columns, counted from 1, in a CSV or a workbook that has something else
        above it; the first that is not empty if not given.
    decimal : sign before the decimals of a text file's numbers.
    thousands : sign between the thousands of a text file's numbers.
    """

    source: str = Field(min_length=1)
    table: str | None = None
    sheet: str | None = None
    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    header_row: Annotated[int, Field(ge=1, strict=True)] | None = None
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
    if value is None or value in NAMED:
        return value
    if unknown := unknown_directives(value):
        known = ", ".join(f"%{name}" for name in DIRECTIVES)
        raise ValueError(
            f"a time format made of {known} and the signs between them, or {' or '.join(NAMED)} "
            f"({', '.join(unknown)} is not known)"
        )
    if lacking := missing_directives(value):
        raise ValueError(
            f"a time format with year, month and day, such as %d.%m.%Y, in which %I and %p go together, or "
            f"{' or '.join(NAMED)} (it lacks {', '.join(lacking)})"
        )
    return value


TimeFormat = Annotated[str | None, AfterValidator(_is_a_time_format)]


class Timed(Table):
    """A table whose rows happened at a time.

    Attributes
    ----------
    time : column.
    time_format : how a time is to be read, such as `%d.%m.%Y %H:%M`, `%b %d, %Y %I:%M %p` or one of
        `formats.NAMED`; ISO 8601 if not given.
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
    total_on_first_line : whether `amount` is the total of the order and stands on one of its lines only, as shops
        export it: a blank amount on another line of the order is 0 then, and a blank customer, time or currency is
        that of the order.
    discount : columns with money that was taken off.
    coupon : those of them that needed a coupon.
    category : column with the kind of the product, where no `[products]` table says it.
    """

    amount: str
    quantity: str | None = None
    currency: str | None = None
    order: str | None = None
    total_on_first_line: bool = False
    discount: tuple[str, ...] = ()
    coupon: tuple[str, ...] = ()
    product: str | None = None
    category: str | None = None
    store: str | None = None

    @model_validator(mode="after")
    def _has_orders(self) -> Self:
        if self.total_on_first_line and self.order is None:
            raise ValueError("`order` beside total_on_first_line, which says which lines belong together")
        if self.total_on_first_line and self.quantity is not None:
            raise ValueError("no `quantity` beside total_on_first_line: a total is not multiplied")
        return self


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


class HappeningTable(Table):
    """A table of happenings; `until` is the last day of one, `time_format` as in `Timed`."""

    day: str = "day"
    name: str = "name"
    until: str | None = None
    time_format: TimeFormat = None
