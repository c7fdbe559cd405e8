"""What holds of every ledger that rules make of purchases: by the engine, and by a loop over single points."""

from collections import defaultdict
from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.points_rules import PointsRules
from loyalty.programme.ledger import STEPS, entries
from loyalty.programme.points import Account, earned, replay
from loyalty.programme.points_totals import issued_by, totals

START, UNTIL = date(2020, 1, 20), 45
AS_OF = START + timedelta(days=UNTIL)

customers, days, cents = st.sampled_from("abc"), st.integers(0, UNTIL + 3), st.integers(1, 3000)
# One purchase, return or wish a customer and day, as the tables of the log have them.
some = st.dictionaries(st.tuples(customers, days), cents, max_size=25)
rules_of_all_kinds = st.builds(
    PointsRules,
    per_unit=st.sampled_from([1.0, 1.5]),
    whole=st.booleans(),
    expiry_days=st.sampled_from([9, 20, None]),
    pending_days=st.sampled_from([0, 5]),
    most_per_month=st.sampled_from([None, 40.0]),
)


def table(column: str, rows: dict[tuple[str, int], int], scale: float = 1.0) -> ibis.expr.types.Table:
    kind = "float64" if column == "spend" else "int64"
    frame = pd.DataFrame(
        [(who, START + timedelta(days=day), value * scale) for (who, day), value in rows.items()],
        columns=["customer", "day", column],
    )
    return ibis.memtable(
        frame.astype({column: kind}), schema=ibis.schema({"customer": "string", "day": "date", column: kind})
    )


def replayed(
    rules: PointsRules, bought: dict[tuple[str, int], int], back: dict[tuple[str, int], int],
    wishes: dict[tuple[str, int], int],
) -> tuple[Account, int]:  # fmt: skip
    earnings = earned(table("spend", bought, 0.01), rules)
    account = replay(earnings, table("units", wishes), rules, AS_OF, table("spend", back, -0.01))
    return account, issued_by(earnings, AS_OF)


class Purse:
    """Single lots in a list, the oldest first."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []

    def add(self, day: int, ends: int, units: int) -> None:
        self.lots.append([day, ends, units])

    def over(self, day: int) -> list[list[int]]:
        ended = [lot for lot in self.lots if lot[1] <= day]
        self.lots = [lot for lot in self.lots if lot[1] > day]
        return ended

    def take(self, units: int) -> int:
        wanted = units
        while units and self.lots:
            part = min(units, self.lots[0][2])
            self.lots[0][2] -= part
            units -= part
            if not self.lots[0][2]:
                self.lots.pop(0)
        return wanted - units

    @property
    def left(self) -> int:
        return sum(lot[2] for lot in self.lots)


def slowly(
    rules: PointsRules, bought: dict[tuple[str, int], int], back: dict[tuple[str, int], int],
    wishes: dict[tuple[str, int], int],
) -> dict[str, int]:  # fmt: skip
    """What became of all points, in hundredths, day by day."""
    told: dict[str, int] = defaultdict(int)
    most, lasts = rules.most_per_month, rules.expiry_days
    for who in "abc":
        waiting, purse, months = Purse(), Purse(), defaultdict(int)
        for day in range(UNTIL):
            told["expired"] += sum(lot[2] for lot in purse.over(day))
            for made, _, units in waiting.over(day):
                purse.add(day, 10**6 if lasts is None else made + lasts + 1, units)
            units = points(bought.get((who, day), 0), rules)
            if most is not None:
                month = (START + timedelta(days=day)).month
                units = min(units, int(100 * most) - months[month])
                months[month] += units
            told["issued"] += units
            if units and rules.pending_days:
                waiting.add(day, day + rules.pending_days, units)
            elif units:
                purse.add(day, 10**6 if lasts is None else day + lasts + 1, units)
            claim = points(back.get((who, day), 0), rules)
            met = waiting.take(claim)
            told["clawed_back"] += met + purse.take(claim - met)
            told["redeemed"] += purse.take(wishes.get((who, day), 0))
        told["pending"] += waiting.left
        told["outstanding"] += waiting.left + purse.left
    return told


def points(money: int, rules: PointsRules) -> int:
    units = int(money * rules.per_unit)
    return units - units % 100 if rules.whole else units


@pytest.mark.slow
@settings(max_examples=50)
@given(rules_of_all_kinds, some, some, some)
def test_a_replay_does_what_a_loop_over_days_does(rules: PointsRules, bought: dict, back: dict, wishes: dict) -> None:
    """Also to the hundredth of a point: everything that was issued is somewhere, each part counted by itself."""
    account, issued = replayed(rules, bought, back, wishes)
    found, expected = totals(account, issued), slowly(rules, bought, back, wishes)
    names = ("issued", "redeemed", "expired", "clawed_back", "outstanding", "pending")
    assert {name: round(100 * (found[name] or 0)) for name in names} == {name: expected[name] for name in names}
    parts = ("redeemed", "expired", "clawed_back", "adjusted", "outstanding")
    assert sum(round(100 * (found[name] or 0)) for name in parts) == issued
    assert totals(account)["issued"] == found["issued"]


@pytest.mark.slow
@settings(max_examples=50)
@given(rules_of_all_kinds, some, some, some)
def test_accounts_add_up_to_nothing_and_points_leave_once(
    rules: PointsRules, bought: dict, back: dict, wishes: dict
) -> None:
    account, _ = replayed(rules, bought, back, wishes)
    lines = entries(account.settled).to_pandas()
    out, into = (lines.groupby(side)["units"].sum() for side in ("from_account", "to_account"))
    balance = into.sub(out, fill_value=0)
    assert balance.sum() == 0
    settled, parts = account.settled.to_pandas(), account.parts.to_pandas()
    assert balance.get("balance", 0) == parts.loc[parts["step"].isna(), "units"].sum()
    assert (settled["held"] >= settled["gone"]).all()
    # All of a lot is in its parts, and what lapses of it does so once, on the day on which it ends.
    lots = settled[settled["earned"] > 0].set_index(["customer", "day"])["earned"].sort_index()
    assert parts.groupby(["customer", "day"])["units"].sum().sort_index().to_dict() == lots.to_dict()
    lapsed = parts[parts["step"] == STEPS.index("expire")]
    assert (lapsed["gone_day"] == lapsed["expires"]).all()
    assert not lapsed.duplicated(["customer", "day"]).any()
    there = parts[parts["step"].isna()]
    assert not (pd.to_datetime(there["expires"]) < pd.Timestamp(AS_OF)).any()
