"""What became of all points in a few numbers, each counted by itself, and what other rules would have made of them."""

from collections.abc import Mapping
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from ..features.windows import before
from ..points_rules import PointsRules
from .ledger import STEPS, UNITS, entries
from .points import Account, earned, replay

ACCOUNTS = ("balance", "redeemed", "expired", "clawed back", "adjusted")
"""Into which points move, see `ledger.entries`."""


def compare(
    days: ir.Table, wishes: ir.Table, rules: Mapping[str, PointsRules], as_of: date, returns: ir.Table | None = None,
    customers: ir.Table | None = None, levels: Mapping[int, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """What other rules would have made of the same purchases and wishes; nobody is taken to behave otherwise.

    Parameters
    ----------
    days, customers, levels : see `earned`.
    wishes, as_of, returns : see `replay`.
    rules : by name.

    Returns
    -------
    Index rules; the columns of `totals`.
    """
    found = {}
    for name, each in rules.items():
        earnings = earned(days, each, customers, levels)
        found[name] = totals(replay(earnings, wishes, each, as_of, returns), issued_by(earnings, as_of))
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("rules")


def issued_by(earnings: ir.Table, as_of: date) -> int:
    """Units that were issued before a date, those that are still pending or were taken back too."""
    return _sum(before(earnings, as_of))


def totals(account: Account, issued: int | None = None) -> dict[str, float | None]:
    """What became of all points.

    Parameters
    ----------
    account : of everyone.
    issued : units; those that reached the balance, are pending or were taken back before, if not given.

    Returns
    -------
    issued, redeemed, expired, clawed_back, adjusted, outstanding (pending ones too), pending, unmet (points), cost (of
    the redeemed, money; None where no cost is known). Each is counted by itself: what was issued is redeemed,
        expired, clawed back, adjusted or outstanding.
    """
    lines = entries(account.settled)
    sums = lines.group_by("from_account", "to_account").agg(units=lines.units.sum().cast("int64")).to_pandas()
    moved = sums.set_index(["from_account", "to_account"])["units"]
    into = moved.groupby("to_account").sum().reindex(ACCOUNTS, fill_value=0).astype("int64")
    pending, returned = (_sum(each) for each in (account.pending, account.returned))
    taken = moved.drop("issued", level="from_account", errors="ignore").sum()
    wishes = account.settled.filter(account.settled.step == STEPS.index("redeem"))
    told = {
        "issued": int(into["balance"]) + pending + returned if issued is None else issued,
        "redeemed": int(into["redeemed"]), "expired": int(into["expired"]),
        "clawed_back": int(into["clawed back"]) + returned, "adjusted": int(into["adjusted"]),
        "outstanding": int(into["balance"] - taken) + pending, "pending": pending,
        "unmet": _sum(wishes.select(units=wishes.wanted - wishes.taken)),
    }  # fmt: skip
    cost = account.rules.cost_per_point
    return {name: units / UNITS for name, units in told.items()} | {
        "cost": None if cost is None else told["redeemed"] / UNITS * cost
    }


def _sum(table: ir.Table) -> int:
    return table.units.sum().cast("int64").to_pyarrow().as_py() or 0
