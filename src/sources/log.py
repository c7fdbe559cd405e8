"""The tables of a dataset with the columns that the rest of the package knows.

===========  ==========================================================================================
lines        customer, day (local date), time (local), zoned (whether the source told the instant, in UTC or with
             its zone), order, amount, and where the dataset has them discount, coupon (money, below zero on a
             return), currency, channel, product, category, recommended (the narrower kind), store
contacts     customer, day, campaign, held_out, sent_by, opened, opened_day (null where no time is told)
opens        customer, day, campaign
redemptions  customer, day, campaign, coupon, order, amount (money, above zero)
campaigns    campaign, start, end, type, channel, contact_cost, budget, hold_out, one row each
coupons      coupon, campaign, product
points       customer, day, points, and kind
survey       customer, day, score (as given; null where it is no number)
consent      customer, day, purpose, granted
customers    customer, joined, birthday (dates), contract_end (date, `NO_END` where it has none), profile_<attribute>
             (text), as they are known today; may hold several rows of one customer
events       day, until, name
===========  ==========================================================================================

Columns of the five tables about campaigns that a dataset lacks are null. Where a role has several tables they are
stacked; a column that one of them lacks is null there. Rows without a customer or a day are still in all of them:
`features.companions` counts them, `Prepared.tables` leaves them out.
"""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..schema import Customers, Points, Products, Transactions
from .clock import read_time
from .lines import line_columns
from .offers import Offers
from .opening import ROLES, unreadable
from .values import finite, identifier, truth

__all__ = ["ROLES", "Sources", "unreadable"]

NO_END = date(9999, 12, 31)
"""Last day of a contract that has none."""


class Sources(Offers):
    """The opened tables of one dataset.

    Parameters
    ----------
    dataset : settings of the dataset.
    root : the project's folder.
    shown : the dataset file as it is named in errors, such as `data/cdnow.toml`.
    folder : where tables are kept that had to be converted.
    connection : gives the engine, when a table is first read.
    parquet_only : whether every table must be brought to Parquet first.

    Raises
    ------
    DataError
        If a file that the dataset file names is not there or cannot be read.
    """

    # Lines

    def raw_lines(self) -> ir.Table:
        """All lines of the log, the unusable ones too, with our column names and types, and the columns `GIVEN`."""
        return self._with_category(self._stacked("transactions", self._lines_of))

    def _lines_of(self, raw: ir.Table, roles: Transactions, where: str) -> dict[str, ir.Value]:
        # Tables count their orders for themselves: the same number in another one is another order.
        several = len(self._tables["transactions"]) > 1
        counted_by = where.rpartition(".")[2] if several else None
        return line_columns(raw, roles, self._local_time(raw, roles, where), counted_by)

    def _with_category(self, lines: ir.Table) -> ir.Table:
        """Lines with the category of their product; what the log says itself comes first.

        And `recommended`, the narrower kind, where a table of products tells it.
        """
        if not self.dataset.products or "product" not in lines.columns:
            return lines
        narrow = any(roles.recommended for roles in self.dataset.products)

        def kinds(raw: ir.Table, roles: Products, _: str) -> dict[str, ir.Value]:
            told = {"product": identifier(raw[roles.product]), "listed": identifier(raw[roles.category])}
            return told | ({"recommended": identifier(raw[roles.recommended or roles.category])} if narrow else {})

        products = self._stacked("products", kinds)
        named = {name: products[name].min() for name in ("listed", "recommended") if name in products.columns}
        joined = lines.left_join(products.group_by("product").agg(**named), "product").drop("product_right")
        own = joined.category if "category" in lines.columns else ibis.null("string")
        return joined.mutate(category=ibis.coalesce(own, joined.listed)).drop("listed")

    # The other tables; None where the dataset has none

    def points(self) -> ir.Table | None:
        """Movements of points, one row each."""

        def more(raw: ir.Table, roles: Points) -> dict[str, ir.Value]:
            kind = {} if roles.kind is None else {"kind": identifier(raw[roles.kind]).lower()}
            return {"points": finite(raw[roles.points], roles).coalesce(0.0)} | kind

        return self._dated("points", more)

    def survey(self) -> ir.Table | None:
        """Answers to a survey, one row each."""
        return self._dated("survey", lambda raw, roles: {"score": finite(raw[roles.score], roles)})

    def consent(self) -> ir.Table | None:
        """What customers agreed to, one row for each time that they said so."""

        def more(raw: ir.Table, roles: Any) -> dict[str, ir.Value]:
            purpose = {} if roles.purpose is None else {"purpose": identifier(raw[roles.purpose]).lower()}
            return {"granted": truth(raw[roles.granted])} | purpose

        return self._dated("consent", more)

    def customers(self) -> ir.Table | None:
        """What is known of customers."""
        return self._stacked("customers", self._customer_of).distinct() if self.dataset.customers else None

    @staticmethod
    def _customer_of(raw: ir.Table, roles: Customers, where: str) -> dict[str, ir.Value]:
        columns: dict[str, ir.Value] = {"customer": identifier(raw[roles.customer])}
        for role in ("joined", "birthday"):
            if (column := getattr(roles, role)) is not None:
                columns[role] = read_time(raw[column], roles.time_format).date()
        if roles.contract_end is not None:
            given = raw[roles.contract_end]
            last_day = read_time(given, roles.time_format).date()
            # What is there and cannot be read is not known, and no contract without an end.
            columns["contract_end"] = identifier(given).isnull().ifelse(ibis.literal(NO_END), last_day)
        return columns | {f"profile_{name}": identifier(raw[name]) for name in roles.attributes}

    def events(self) -> pd.DataFrame:
        """Happenings to mark in charts: day, until (its last day) and name, the earliest first."""
        marked = [(event.day, event.until or event.day, event.name) for event in self.dataset.events.marked]
        if (told := self.event_rows()) is not None:
            rows = told.filter(told.day.notnull() & told.name.notnull()).to_pyarrow().to_pylist()
            marked += [(row["day"], row["until"] or row["day"], row["name"]) for row in rows]
        frame = pd.DataFrame(sorted(marked), columns=["day", "until", "name"])
        return frame.astype({"day": "datetime64[us]", "until": "datetime64[us]"})

    def event_rows(self) -> ir.Table | None:
        """Rows of the table of happenings, those that cannot be read too: day, until, name, and both days as given."""
        if (roles := self.dataset.events.table) is None:
            return None
        raw = self._open("events", 0)
        given = {"day": raw[roles.day], "until": raw[roles.until] if roles.until else ibis.null("string")}
        return raw.select(
            **{name: read_time(day, roles.time_format).date() for name, day in given.items()},
            **{f"{name}_as_given": identifier(day) for name, day in given.items()},
            name=identifier(raw[roles.name]),
        )
