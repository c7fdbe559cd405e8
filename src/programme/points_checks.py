"""What is odd about a retailer's own points ledger, told by `loyalty check`."""

from datetime import date
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from ..features.companions import NOTEWORTHY, first_rows, usable
from ..features.findings import Found
from ..features.windows import before
from ..points_rules import PointsRules
from .ledger import STEPS, UNITS
from .points import KINDS, movements, own, says_expiry

OF_DAYS = ("points_negative_balance", "points_expiry_differs", "points_redeemed_late")
"""Findings about days of a customer, not single movements."""

BY_SIGN = "taken by it; earned below zero as a return"
NEAR = 1e-6
"""Of a whole number of points."""


def points_findings(points: ir.Table, days: ir.Table, rules: PointsRules | None, as_of: date) -> list[Found]:
    """Balances below zero, words that are not known, wrong signs, split points, strangers, and wrong expiries.

    Parameters
    ----------
    points : customer, day, points, and kind where there is one; rows that cannot be used are told of elsewhere.
    days : purchase days: who is known.
    rules : of the programme; None where the dataset file has none, so that points may well be split.
    as_of : first day that is not known.
    """
    points, rules = usable(points), rules or PointsRules(whole=False)
    rows = before(movements(points, rules), as_of)
    total = rows.count().to_pyarrow().as_py()
    known = [*KINDS, *(word.lower() for word in rules.kinds)]
    signs = ((rows.kind == "earn") & (rows.units < 0)) | (
        rows.kind.isin(["redeem", "expire", "return"]) & (rows.units > 0)
    )
    odd = {
        "points_unknown_kind": (rows.filter(rows.word.notnull() & ~rows.word.isin(known)),
                                "have a kind that is not known, and are taken by their sign"),
        "points_wrong_sign": (rows.filter(signs), f"have a sign that does not fit their kind, and are {BY_SIGN}"),
        "points_unknown_customer": (rows.anti_join(days, "customer"), "are of customers without a purchase, and count"),
        "points_split": (rows.filter(_split(rows, rules.whole)),
                         "are not whole, and count as they are" if rules.whole else
                         "have more than two decimals, and are rounded to two"),
        "points_negative_balance": (_overdrawn(rows), "take more than the balance at the end of their day, and count "
                                    "as far as it goes"),
    }  # fmt: skip
    found = [_found(name, part, total, what) for name, (part, what) in odd.items()]
    found += _late(points, rules, as_of) if rules.expire else []
    return [each for each in [*found, *_expiry(points, rules, as_of)] if each is not None]


def _split(rows: ir.Table, whole: bool) -> ir.BooleanValue:
    scaled = rows.points if whole else rows.points * UNITS
    return (scaled - scaled.round()).abs() > NEAR


def _overdrawn(rows: ir.Table) -> ir.Table:
    """The days at whose end a balance is below zero; the table tells days, and not what came first on one."""
    by_day = rows.group_by("customer", "day").agg(units=rows.units.sum().cast("int64"), takes=rows.units.min())
    so_far = ibis.cumulative_window(group_by="customer", order_by="day")
    summed = by_day.mutate(balance=by_day.units.sum().over(so_far).cast("int64"))
    return summed.filter((summed.balance < 0) & (summed.takes < 0))


def _found(name: str, part: ir.Table, total: int, what: str) -> Found | None:
    counted = part.agg(lines=part.count(), customers=part.customer.nunique()).to_pyarrow().to_pylist()[0]
    if not counted["lines"]:
        return None
    severity: Literal["warning", "note"] = "warning" if counted["lines"] > NOTEWORTHY * total else "note"
    things = "days of a customer" if name in OF_DAYS else f"of {total:,} movements"
    return Found(
        name=name,
        severity=severity,
        done="counted",
        detail=f"points: {counted['lines']:,} {things} {what}",
        customers=counted["customers"],
        sample=_sample(part),
    )


def _sample(part: ir.Table) -> list[dict[str, Any]]:
    """A few of them as their table tells them; of days of a customer the points that are lacking or too many."""
    worth = part.balance if "balance" in part.columns else part.units
    said = {"kind": part.word} if "word" in part.columns else {}
    return first_rows(part.select("customer", "day", points=worth.cast("float64") / UNITS, **said))


def _late(points: ir.Table, rules: PointsRules, as_of: date) -> list[Found | None]:
    """Redemptions of points that had expired by the rules, in a table that does not tell what expired."""
    if says_expiry(points, rules, as_of):
        return []
    settled = own(points, rules, as_of).settled
    lacking = settled.filter((settled.step == STEPS.index("redeem")) & (settled.wanted > settled.taken))
    late = lacking.select("customer", "day", units=lacking.taken - lacking.wanted)
    late = late.anti_join(_overdrawn(before(movements(points, rules), as_of)), ["customer", "day"])
    what = "redeem points that had expired by the rules, and count as far as others were there"
    return [_found("points_redeemed_late", late, 0, what)]


def _expiry(points: ir.Table, rules: PointsRules, as_of: date) -> list[Found | None]:
    """Expiries of the table against those of the rules."""
    rows = before(movements(points, rules), as_of)
    said = rows.filter((rows.kind == "expire") & (rows.units < 0))
    if not rules.expire or not said.count().to_pyarrow().as_py():
        return []
    told = said.group_by("customer", "day").agg(units=(-said.units).sum().cast("int64"))
    ended = [word for word, kind in _words(rules).items() if kind == "expire"]
    others = points.filter(~points.kind.lower().isin(ended).fill_null(False))
    settled = own(others, rules, as_of).settled
    due = settled.filter((settled.step == 0) & (settled.taken > 0)).select("customer", "day", units=-settled.taken)
    both = ibis.union(told, due).group_by("customer", "day").agg(units=ibis._.units.sum().cast("int64"))
    total = said.count().to_pyarrow().as_py()
    what = "have other expiries than the rules say"
    return [_found("points_expiry_differs", both.filter(both.units != 0), total, what)]


def _words(rules: PointsRules) -> dict[str, str]:
    return {kind: kind for kind in KINDS} | {word.lower(): kind for word, kind in rules.kinds.items()}
