"""The tables of a dataset with the columns that the rest of the package knows.

===========  ==========================================================================================
lines        customer, day (local date), time (local), order, amount, and where the dataset has them
             discount, coupon (≥ 0, money), product, category, store
contacts     customer, day (first day of the campaign), campaign
redemptions  customer, day
===========  ==========================================================================================

Lines without a customer, a time or an amount cannot be used: they are counted and left out.
"""

from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd

from ..errors import DataError
from ..schema import Dataset, Table
from .clock import to_local
from .files import fingerprint, locate, open_table, require_columns

ROLES = ("transactions", "products", "campaigns", "contacts", "redemptions")


class Sources:
    """The opened tables of one dataset.

    Parameters
    ----------
    dataset : settings of the dataset.
    root : the project's folder.
    shown : the dataset file as it is named in errors, such as `data/cdnow.toml`.

    Raises
    ------
    DataError
        If a file or a column that the dataset file names is not there.
    """

    def __init__(self, dataset: Dataset, root: Path, shown: str) -> None:
        self.dataset = dataset
        self.shown = shown
        self.files = {
            role: locate(table, root, f"{shown}: {role}")
            for role in ROLES
            if (table := getattr(dataset, role)) is not None
        }

    def fingerprint(self) -> str:
        """Hash of the contents of all files."""
        return fingerprint(file for role in sorted(self.files) for file in self.files[role])

    def open(self, role: str, connection: ibis.BaseBackend) -> ir.Table:
        """One table with the file's own columns, its roles checked."""
        table: Table = getattr(self.dataset, role)
        where = f"{self.shown}: {role}"
        opened = open_table(connection, table, self.files[role], where)
        require_columns(opened, _columns_named(table), where)
        return opened

    def raw_lines(self, connection: ibis.BaseBackend) -> ir.Table:
        """All lines of the log, the unusable ones too, with our column names and types."""
        raw = self.open("transactions", connection)
        roles = self.dataset.transactions
        columns: dict[str, ir.Value] = {
            "customer": _identifier(raw[roles.customer]),
            "time": self._local_time(raw, roles.time, roles.time_format, roles.time_is, "transactions"),
            "amount": _finite(raw[roles.amount]),
        }
        for role in ("order", "product", "store"):
            if (column := getattr(roles, role)) is not None:
                columns[role] = _identifier(raw[column])
        for role in ("discount", "coupon"):
            if names := getattr(roles, role):
                columns[role] = sum((_finite(raw[name]).abs().coalesce(0.0) for name in names), ibis.literal(0.0))
        lines = raw.select(**columns)
        lines = lines.mutate(day=lines.time.date())
        if "order" not in columns:
            lines = lines.mutate(order=lines.customer + "|" + lines.time.cast("string"))
        return self._with_category(lines, connection)

    def _with_category(self, lines: ir.Table, connection: ibis.BaseBackend) -> ir.Table:
        if self.dataset.products is None or "product" not in lines.columns:
            return lines
        products = self.open("products", connection)
        roles = self.dataset.products
        named = products.select(
            product=_identifier(products[roles.product]), category=products[roles.category].cast("string")
        )
        one_each = named.group_by("product").agg(category=named.category.min())
        return lines.left_join(one_each, "product").drop("product_right")

    def contacts(self, connection: ibis.BaseBackend) -> ir.Table | None:
        """Who was sent which campaign, dated by the campaign's first day."""
        if self.dataset.contacts is None or self.dataset.campaigns is None:
            return None
        sent, told = self.open("contacts", connection), self.open("campaigns", connection)
        roles, about = self.dataset.contacts, self.dataset.campaigns
        starts = told.select(campaign=_identifier(told[about.campaign]), day=told[about.start].cast("date"))
        pairs = sent.select(customer=_identifier(sent[roles.customer]), campaign=_identifier(sent[roles.campaign]))
        return pairs.join(starts, "campaign").distinct()

    def redemptions(self, connection: ibis.BaseBackend) -> ir.Table | None:
        """Coupons handed in, one row each."""
        if self.dataset.redemptions is None:
            return None
        raw = self.open("redemptions", connection)
        roles = self.dataset.redemptions
        time = self._local_time(raw, roles.time, roles.time_format, roles.time_is, "redemptions")
        return raw.select(customer=_identifier(raw[roles.customer]), day=time.date())

    def _local_time(
        self, raw: ir.Table, column: str, time_format: str | None, time_is: str, role: str
    ) -> ir.TimestampColumn:
        """A time column in the clock of the store."""
        text_or_time = raw[column]
        if time_format is not None:
            time = text_or_time.cast("string").as_timestamp(time_format)
        else:
            zoned = text_or_time.type().is_timestamp()
            time = text_or_time if zoned else text_or_time.cast("timestamp")
        if time.type().timezone is not None and time_format is None:
            # The column itself says which instant it means: the session's zone is UTC, so this writes it as UTC.
            time, time_is = time.cast("timestamp"), "utc"
        if time_is == "local":
            return time
        try:
            span = raw.agg(first=time.min(), last=time.max()).execute().iloc[0]
        except duckdb.Error as error:
            raise unreadable(error, f"{self.shown}: {role}") from None
        if pd.isna(span["first"]):
            return time
        return to_local(time, self.dataset.timezone, span["first"].to_pydatetime(), span["last"].to_pydatetime())


def _identifier(column: ir.Column) -> ir.StringColumn:
    """An identifier as text, the same from whichever table it comes; null where it is empty or says that it is missing.

    Other tools write identifiers with gaps as numbers with a fraction: 12.0 is customer 12.
    """
    if column.type().is_floating():
        number = column.isnan().ifelse(ibis.null("float64"), column.cast("float64"))
        whole = number == number.floor()
        return whole.ifelse(number.floor().cast("int64").cast("string"), number.cast("string"))
    text = column.cast("string").strip()
    return text.lower().isin(["", "nan", "nat", "none", "null", "<na>"]).ifelse(ibis.null("string"), text)


def _finite(column: ir.Column) -> ir.FloatingColumn:
    """A column as numbers; null where it holds none, NaN or infinity."""
    number = column.try_cast("float64")
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def usable(lines: ir.Table) -> ir.BooleanValue:
    """Whether a line has a customer, a time and an amount."""
    return lines.customer.notnull() & lines.time.notnull() & lines.amount.notnull()


def unreadable(error: duckdb.Error, where: str) -> DataError:
    """The engine's complaint about a value, as an error that names the table."""
    reason = " ".join(str(error).split())[:200]
    return DataError(
        f"{where}: a value cannot be read as the dataset file says ({reason}); check time_format and the columns"
    )


def _columns_named(table: Table) -> dict[str, str]:
    """Role → column, for every key of a table's section that names a column."""
    about_the_file = {"source", "format", "time_format", "time_is"}
    named: dict[str, str] = {}
    for role, value in table.model_dump(exclude=about_the_file, exclude_none=True).items():
        columns = value if isinstance(value, tuple | list) else [value]
        named.update({role if len(columns) == 1 else f"{role}[{at}]": column for at, column in enumerate(columns)})
    return named
