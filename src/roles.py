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
    """What is sold.

    Attributes
    ----------
    category : column with the kind of product, as features and favourites know it.
    recommended : column with the narrower kind that is told as the next purchase; `category` if not given.
    """

    product: str
    category: str
    recommended: str | None = None


class Customers(Channeled):
    """What is known of customers beside their purchases.

    Attributes
    ----------
    attributes : columns that become categories of the profile, such as an age band or a region.
    joined : column with the day on which the customer joined the programme.
    birthday : column.
    contract_end : column with the last day of the contract, empty where it has no end; one that was renewed has a later
        end. A customer may have several rows, one a contract, which begins on `joined` where that is given.
    time_format : of them all, where they are text, see `Timed`.
    """

    attributes: tuple[str, ...] = ()
    joined: str | None = None
    birthday: str | None = None
    contract_end: str | None = None
    time_format: TimeFormat = None


class Campaigns(Table):
    """Campaigns; `time_format` of their days as in `Timed`.

    Attributes
    ----------
    start : column with the first day.
    end : column with the last day on which a coupon is taken.
    type : column with the kind of campaign.
    channel : column with how its customers are reached (letter, e-mail, app …).
    contact_cost : what one contact costs, a number or a column, in the dataset's currency.
    budget : column with the money that all contacts may cost.
    hold_out : share of those drawn who were to be held out by chance, a number or a column.
    """

    campaign: str
    start: str
    end: str | None = None
    type: str | None = None
    channel: str | None = None
    contact_cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] | str | None = None
    budget: str | None = None
    hold_out: Annotated[float, Field(gt=0, lt=1)] | str | None = None
    time_format: TimeFormat = None


class Contacts(Channeled):
    """Which customer was sent which campaign; dated by `time`, or by the campaign's first day.

    Attributes
    ----------
    group : column that says who was held out on purpose, to be compared with.
    held_out : what it says of them; they were not contacted.
    sent_by : column with how the customer was reached, where it differs within a campaign. It is no `channel`: that one
        tells whose customer number it is.
    opened : column that says whether the message was opened, or on which day.
    """

    campaign: str
    time: str | None = None
    time_format: TimeFormat = None
    time_is: Literal["local", "utc"] = "local"
    group: str | None = None
    held_out: tuple[str, ...] = ("control", "held out", "holdout")
    sent_by: str | None = None
    opened: str | None = None


class Opens(Timed, Channeled):
    """Messages of a campaign that a customer opened or viewed."""

    campaign: str


class Redemptions(Timed, Channeled):
    """Coupons handed in.

    Attributes
    ----------
    campaign : column; without one, the latest campaign that the customer had received and that still ran.
    coupon : column with the coupon's number.
    order : column with the receipt's number, as in the log.
    amount : column with what the coupon took off; without one it is read off the log's coupon columns.
    """

    campaign: str | None = None
    coupon: str | None = None
    order: str | None = None
    amount: str | None = None


class Coupons(Table):
    """Coupons, one row for each product that one is good for.

    Attributes
    ----------
    campaign : column; a coupon may belong to several.
    product : column, as in the log.
    """

    coupon: str
    campaign: str
    product: str | None = None


class Points(Timed, Channeled):
    """Movements of points.

    Attributes
    ----------
    points : column; positive where points are earned, negative where they are spent or expire.
    kind : column that says why, such as earn, redeem, expire, adjust.
    """

    points: str
    kind: str | None = None


class Survey(Timed, Channeled):
    """Answers to "How likely are you to recommend us?", from which a net promoter score is made.

    Attributes
    ----------
    score : column with a whole number from 0 to 10.
    """

    score: str


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


Cost = Annotated[float, Field(ge=0)]
CONTROL = (
    "control", "control group", "holdout", "hold-out", "held out", "placebo", "no e-mail", "no email", "no mail",
    "none", "no treatment", "untreated", "0", "false", "no", "kontrolle", "kontrollgruppe", "keine", "对照", "对照组",
)  # fmt: skip
"""How files call customers who were given nothing."""


class ExperimentTable(Table):
    """A randomised experiment, one row a customer.

    Attributes
    ----------
    arm : column that says what a customer was given by chance.
    control : what it says of those who were given nothing, whatever its capitals.
    customer : column; without one every row is a customer of its own.
    outcomes : columns with what came after: money, counts, or yes and no.
    money : those of them that are in the dataset's currency.
    history : columns with numbers from before the experiment.
    attributes : columns with what customers were before it, which become categories.
    planned : arm → share of the customers that was to be given it.
    cost : arm → what one contact costs, in the dataset's currency.
    """

    arm: str
    control: Annotated[tuple[str, ...], Field(min_length=1)] = CONTROL
    customer: str | None = None
    outcomes: Annotated[tuple[str, ...], Field(min_length=1)]
    money: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    planned: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)
    cost: dict[str, Cost] = Field(default_factory=dict)

    @field_validator("planned")
    @classmethod
    def _is_a_whole(cls, value: dict[str, float]) -> dict[str, float]:
        if value and abs(sum(value.values()) - 1) > 0.005:
            raise ValueError("shares of all arms that add up to 1")
        return value

    @model_validator(mode="after")
    def _has_each_column_once(self) -> Self:
        if unknown := set(self.money) - set(self.outcomes):
            raise ValueError(f"money among the outcomes, which {', '.join(sorted(unknown))} is not")
        named = [self.arm, *filter(None, [self.customer]), *self.outcomes, *self.history, *self.attributes]
        if twice := sorted({column for column in named if named.count(column) > 1}):
            raise ValueError(f"each column in one role only; {', '.join(twice)} stands in two")
        return self
