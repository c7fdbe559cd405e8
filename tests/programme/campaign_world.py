"""Campaigns made by hand: tables from short rows, what is not given is null."""

from datetime import date, datetime, time
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from loyalty.features.columns import Tables
from loyalty.features.histories import purchase_days
from loyalty.features.offers import Offers
from loyalty.programme.responses import Responses, responses

FIRST = date(2020, 1, 1)
CAMPAIGNS = {
    "campaign": "string", "start": "date", "end": "date", "type": "string", "channel": "string",
    "contact_cost": "float64", "budget": "float64", "hold_out": "float64",
}  # fmt: skip
CONTACTS = {
    "customer": "string", "campaign": "string", "day": "date", "held_out": "boolean", "sent_by": "string",
    "opened": "boolean", "opened_day": "date",
}  # fmt: skip
REDEMPTIONS = {
    "customer": "string", "campaign": "string", "day": "date", "coupon": "string", "order": "string",
    "amount": "float64",
}  # fmt: skip
COUPONS = {"coupon": "string", "campaign": "string", "product": "string"}
OPENS = {"customer": "string", "campaign": "string", "day": "date"}
LINES = {
    "customer": "string", "time": "timestamp", "day": "date", "order": "string", "product": "string",
    "amount": "float64", "coupon": "float64", "channel": "string",
}  # fmt: skip

Row = dict[str, Any]


def table(columns: dict[str, str], rows: list[Row]) -> ir.Table:
    """A table with all columns."""
    schema = ibis.schema(columns).to_pyarrow()
    return ibis.memtable(pa.Table.from_pylist([dict.fromkeys(columns) | row for row in rows], schema))


def offers_of(
    campaigns: list[Row],
    contacts: list[Row],
    redemptions: list[Row] | None = None,
    coupons: list[Row] | None = None,
    opens: list[Row] | None = None,
) -> Offers:
    """Campaigns of a dataset."""
    return Offers.of(
        table(CONTACTS, [{"held_out": False} | row for row in contacts]),
        table(CAMPAIGNS, campaigns),
        None if opens is None else table(OPENS, opens),
        None if redemptions is None else table(REDEMPTIONS, redemptions),
        None if coupons is None else table(COUPONS, coupons),
    )


def tables_of_lines(lines: list[Row]) -> Tables:
    """A log."""
    log = table(LINES, [{"time": datetime.combine(row["day"], time()), "coupon": 0.0} | row for row in lines])
    return Tables(purchase_days(log), lines=log)


def seen_at(as_of: date, offers: Offers, lines: list[Row] = (), **settings: Any) -> Responses:  # type: ignore[assignment]
    """What customers did."""
    return responses(offers, tables_of_lines([*lines]), as_of, FIRST, **settings)
