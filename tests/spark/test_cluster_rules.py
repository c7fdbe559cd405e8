"""States of customers and conditions are the same on a cluster."""

from datetime import date, timedelta
from pathlib import Path

import ibis
import pandas as pd
from agreement import assert_agree
from loyalty.features.columns import Tables
from loyalty.programme.default_rules import DEFAULTS
from loyalty.programme.moments import moments
from loyalty.programme.rule_values import days_to_next
from loyalty.programme.rules import candidates, cooling

AS_OF = date(2024, 2, 28)
AGES = {"a": [1, 11, 21], "b": [30], "c": [2, 90, 100, 110], "d": [200], "e": [100, 110, 120], "f": [1, 3, 5, 90]}


def test_states_candidates_and_cool_downs_agree(spark: ibis.BaseBackend, tmp_path: Path) -> None:
    days = pd.DataFrame(
        [(who, AS_OF - timedelta(days=age)) for who, ages in AGES.items() for age in ages], columns=["customer", "day"]
    )
    contacts = days.assign(campaign=["overdue 2024-01-01", "wake-up"] * (len(days) // 2))
    rules = [rule for rule in DEFAULTS if rule.name in ("overdue", "wake-up", "second purchase")]

    def told(make: object) -> list[ibis.Table]:
        each = moments(Tables(make(days)), AS_OF)  # type: ignore[operator]
        sent = make(contacts)  # type: ignore[operator]
        coming = each.select("customer", coming=days_to_next(each.first_day, AS_OF))
        return [each, coming, candidates(each, rules).select("customer", "rule"), cooling(sent, rules, AS_OF)]

    def on_spark(frame: pd.DataFrame) -> ibis.Table:
        frame.to_parquet(tmp_path / f"{len(frame.columns)}.parquet")
        return spark.read_parquet(tmp_path / f"{len(frame.columns)}.parquet")

    for one, other in zip(told(ibis.memtable), told(on_spark), strict=True):
        assert_agree(one, other)
