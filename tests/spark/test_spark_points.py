"""Points are the same by DuckDB and by Spark: a ledger of the retailer's own, its findings, and a replay."""

import ibis
import pandas as pd
import pytest
from agreement import Pair, assert_agree, assert_alike
from loyalty.points_rules import PointsRules
from loyalty.programme import points_measures as measures
from loyalty.programme.accounts import with_levels
from loyalty.programme.owed import counted, triangle
from loyalty.programme.points import Account, earned, own, replay
from loyalty.programme.points_checks import points_findings
from loyalty.programme.points_totals import issued_by, totals
from loyalty.programme.tier_rules import TierRules
from loyalty.progress import goals
from loyalty.study import Study

RULES = PointsRules(expiry_days=60, cost_per_point=0.01)
REPLAYED = PointsRules(
    expiry_days=60, pending_days=14, most_per_month=80, per_unit=1.5, tier_multipliers={"Gold": 2.0}, whole=False
)
TIERS = TierRules(("Silver", "Gold"), (80.0, 300.0), days=120)


def ledger(study: Study) -> ibis.expr.types.Table:
    """The retailer's own table without what it tells of expiry, so that the rules say it, and with odd lines."""
    table = study.data.tables.points
    assert table is not None
    kept = table.filter((table.kind != "expire") | table.kind.isnull())
    # Some earned below zero, some words that nobody knows, some redemptions of far too much.
    odd, number = kept.customer.right(1), kept.points.abs().cast("float64")
    booked_back = (kept.kind == "earn") & (number < 20) & (odd == "4")
    far_too_much = (kept.kind == "redeem") & odd.isin(["5", "6"])
    return kept.mutate(
        kind=(odd == "3").ifelse("gift", kept.kind),
        points=ibis.cases((booked_back, -number), (far_too_much, -10 * number), else_=kept.points.cast("float64")),
    )


def assert_accounts_agree(one: Account, other: Account) -> None:
    assert_agree(one.settled, other.settled)
    assert_agree(one.parts, other.parts)
    assert_alike(totals(one), totals(other))
    for days in (1, 7):
        assert_agree(measures.moved(one, days), measures.moved(other, days))
    assert_agree(measures.balance_by_age(one), measures.balance_by_age(other))
    assert_agree(measures.expiry_calendar(one), measures.expiry_calendar(other))
    assert_agree(measures.to_remind(one), measures.to_remind(other))
    used = [measures.use(each) for each in (one, other)]
    assert used[0] is not None
    assert used[1] is not None
    assert vars(used[0].share) == pytest.approx(vars(used[1].share))
    assert_agree(counted(one).cells, counted(other).cells)
    for part, same in zip(*(vars(triangle(counted(each))).values() for each in (one, other)), strict=True):
        assert part == pytest.approx(same)


def test_a_ledger_of_the_retailers_own(dirty_pair: Pair) -> None:
    one, other = (own(ledger(study), RULES, study.known_until) for study in dirty_pair)
    told = totals(one)
    assert min(told[name] or 0 for name in ("redeemed", "expired", "clawed_back", "outstanding", "unmet")) > 0
    assert_accounts_agree(one, other)


def test_what_is_odd_about_it(dirty_pair: Pair) -> None:
    found = [
        {
            each.name: (each.severity, each.detail, each.customers)
            for each in points_findings(ledger(study), study.data.tables.days, RULES, study.known_until)
        }
        for study in dirty_pair
    ]
    assert {"points_unknown_kind", "points_wrong_sign", "points_negative_balance", "points_redeemed_late"} <= set(
        found[0]
    )
    assert found[0] == found[1]


def test_expiries_that_the_table_tells(dirty_pair: Pair) -> None:
    found = []
    for study in dirty_pair:
        table = study.data.tables.points
        assert table is not None
        told = points_findings(table, study.data.tables.days, RULES, study.known_until)
        found.append({each.name: each.detail for each in told})
    assert "points_expiry_differs" in found[0]
    assert found[0] == found[1]


def test_a_replay_with_tiers_a_cap_returns_and_wishes_for_too_much(dirty_pair: Pair) -> None:
    accounts, issued = [], []
    for study in dirty_pair:
        tables, day = study.data.tables, study.known_until
        days = with_levels(tables, TIERS, day)
        levels = days.select("customer", "day", "level").to_pandas()
        assert (levels["level"] == 2).any()
        earnings = earned(days, REPLAYED, levels=dict(enumerate(TIERS.levels)))
        wishes = days.filter(days.customer.right(1) == "1").select(
            "customer", "day", units=ibis.literal(50_000, "int64")
        )
        accounts.append(replay(earnings, wishes, REPLAYED, day, tables.returns))
        issued.append(issued_by(earnings, day))
    told = totals(accounts[0], issued[0])
    assert min(told[name] or 0 for name in ("redeemed", "expired", "clawed_back", "pending", "unmet")) > 0
    parts = ("redeemed", "expired", "clawed_back", "adjusted", "outstanding")
    assert sum(told[name] or 0 for name in parts) == pytest.approx(told["issued"])
    assert issued[0] == issued[1]
    assert_accounts_agree(*accounts)
    assert_agree(*(each.pending for each in accounts))
    assert_agree(*(each.returned for each in accounts))


def test_how_content_customers_are_and_how_goals_stand(dirty_pair: Pair) -> None:
    told = [(study.satisfaction(), goals(study)) for study in dirty_pair]
    for one, other in zip(*told, strict=True):
        assert set(one) == set(other)
        for name, part in one.items():
            if isinstance(part, pd.DataFrame) and len(part):
                assert_agree(part, other[name])
            elif not isinstance(part, pd.DataFrame):
                assert_alike(part, other[name])
