"""The bridge between two values is the same by DuckDB and by Spark."""

from datetime import timedelta
from typing import Any

import pytest
from agreement import DISTINCT, Brought, Pair, assert_agree
from loyalty import bridge
from loyalty.models.bridge import STEPS
from loyalty.study import Study


@pytest.fixture(scope="module")
def earlier(dirty_pair: Pair) -> dict[str, Any]:
    """What a run of two horizons before leaves behind, told by DuckDB."""
    study = dirty_pair[0]
    day = study.as_of - timedelta(days=2 * study.horizon_days)
    return bridge.told(Study.open("dirty", as_of=day, engine="duckdb", root=study.root))


def test_histories_at_two_dates_agree(dirty_pair: Pair, brought: Brought) -> None:
    one, other = dirty_pair
    since = one.known_until - timedelta(days=60)
    by_duckdb, by_spark = bridge.pairs(one, since), bridge.pairs(other, since)
    came, active, before = (by_duckdb[name] for name in ("frequency_before", "active", "active_before"))
    groups = (came.isna(), before & ~active, before & active)  # new, lost, and those who stayed
    assert all(by_duckdb.loc[group, "weight"].sum() > 0 for group in groups)
    assert by_duckdb["weight"].sum() == one.value()["totals"]["customers"]
    assert_agree(*(frame.astype("float64") for frame in (by_duckdb, by_spark)))  # each has its own nothing
    assert any(columns >= DISTINCT for columns, _ in brought)
    assert not any("customer" in columns for columns, _ in brought)


def test_the_steps_agree_to_the_cent(dirty_pair: Pair, earlier: dict[str, Any]) -> None:
    by_duckdb, by_spark = (bridge.between(study, earlier) for study in dirty_pair)
    assert by_duckdb["about"]["refused"] == by_spark["about"]["refused"] == ""
    assert list(by_spark["steps"].index) == list(STEPS)
    for one, other in ((by_duckdb, by_spark), (by_spark, by_duckdb)):
        assert one["about"]["now"] == pytest.approx(other["about"]["now"], abs=1)
        assert one["steps"]["cents"].sum() == one["about"]["now"] - one["about"]["before"]
    assert (by_duckdb["steps"]["cents"] - by_spark["steps"]["cents"]).abs().max() <= 1
    assert (by_duckdb["steps"]["cents"].abs() > 0).sum() >= 4
    assert list(by_duckdb["steps"]["customers"]) == list(by_spark["steps"]["customers"])
