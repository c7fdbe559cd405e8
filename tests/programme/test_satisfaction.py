"""The net promoter score with its interval, and what became of who answered."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.features.columns import Tables
from loyalty.prepared import Prepared
from loyalty.programme.satisfaction import NO_SEGMENT, by_segment, by_tier, check, later_churn, latest, nps, scores
from loyalty.programme.tier_rules import TierRules
from loyalty.settings import load_dataset
from scipy import stats

DAY = date(2020, 7, 1)


def survey_of(rows: list[tuple[str, date, float | None]]) -> ir.Table:
    frame = pd.DataFrame(rows, columns=["customer", "day", "score"])
    return ibis.memtable(frame, schema={"customer": "string", "day": "date", "score": "float64"})


def some(values: list[float | None]) -> ir.Table:
    return survey_of([(f"c{n}", DAY - timedelta(days=1), value) for n, value in enumerate(values)])


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.1, 0.2, 0.7), (0.7, 0.25, 0.05), (0.3, 0.4, 0.3)])
def test_the_interval_holds_the_truth_nine_times_in_ten(shares: tuple[float, float, float]) -> None:
    """Every outcome of 40 answers, weighted by its probability: no simulation, no chance."""
    outcomes = [(up, 40 - up - down, down) for up, down in product(range(41), repeat=2) if up + down <= 40]
    truth = 100 * (shares[0] - shares[2])
    chances = stats.multinomial.pmf(outcomes, 40, shares)
    held = np.array([nps(*outcome).holds(truth) for outcome in outcomes])
    assert chances @ held == pytest.approx(0.9, abs=0.04)


def test_an_interval_does_not_vanish_where_all_agree() -> None:
    found = nps(20, 0, 0)
    assert (found.estimate, found.high) == (100, 100)
    assert 70 < found.low < 95
    assert np.isnan(nps(0, 0, 0).estimate)


def test_the_last_answer_of_a_customer_counts() -> None:
    survey = survey_of(
        [
            ("a", date(2020, 5, 1), 2), ("a", date(2020, 6, 1), 9), ("b", date(2020, 6, 1), 10),
            ("b", date(2020, 6, 1), 7), ("c", date(2019, 1, 1), 10), ("d", DAY, 0), ("e", date(2020, 6, 2), 11),
        ]
    )  # fmt: skip
    found = latest(survey, DAY, 365).to_pandas().set_index("customer")["score"].to_dict()
    assert found == {"a": 9, "b": 7}
    row = scores(survey, DAY, 365).loc["all"]
    assert (row["answers"], row["promoters"], row["passives"], row["nps"]) == (2, 1, 1, 50)


def test_scores_by_group() -> None:
    survey = some([10, 9, 8, 0, 6, 7])
    groups = ibis.memtable(pd.DataFrame({"customer": [f"c{n}" for n in range(5)], "group": list("xxxyy")}))
    found = scores(survey, DAY, 30, groups)
    assert found["nps"].round(6).to_dict() == {"x": pytest.approx(200 / 3, abs=1e-5), "y": -100}
    assert (found["low"] < found["nps"].clip(lower=-99)).all()


def test_tiers_and_segments_are_groups_of_everyone_who_answered(tables_of: Callable[..., Tables]) -> None:
    recent = DAY - timedelta(days=9)
    rows = [("rich", recent, 80.0, "1"), ("poor", recent, 8.0, "2"), ("gone", date(2018, 1, 1), 99.0, "3")]
    log = pd.DataFrame(rows, columns=["customer", "day", "amount", "order"])
    survey = survey_of([(name, DAY - timedelta(days=1), 9.0) for name in ("rich", "rich", "poor", "gone", "stranger")])
    tables = tables_of(log)
    tiers = by_tier(survey, tables, TierRules(("Gold",), (50.0,)), DAY).to_pandas()
    assert dict(zip(tiers["customer"], tiers["group"], strict=True)) == {"rich": 1, "poor": 0, "gone": 0, "stranger": 0}
    assert len(tiers) == 4
    drawn = by_segment(survey, tables, DAY).to_pandas().set_index("customer")["group"]
    assert drawn[["gone", "stranger"]].tolist() == [NO_SEGMENT, NO_SEGMENT]
    assert NO_SEGMENT not in drawn[["rich", "poor"]].tolist()


def test_scores_outside_are_set_aside_and_counted() -> None:
    told = check(some([10.0, 9.0, 8.0, 3.0, 5.5, *[7.0] * 5]), DAY)
    assert (told.rows, told.usable, told.customers) == (10, 9, 9)
    assert told.note == "1 of 10 answers are no whole number from 0 to 10 and set aside."
    assert check(some([7.0]), DAY).note == ""


def test_another_scale_is_told() -> None:
    with pytest.raises(DataError, match=r"survey.score: expected whole numbers from 0 to 10, found 3 of 4 .* outside"):
        check(some([80.0, 95.0, 100.0, 10.0]), DAY)
    with pytest.raises(DataError, match="found none above 5 in 40 answers, which looks like another scale"):
        check(some([1.0, 2.0, 3.0, 4.0, 5.0] * 8), DAY)


def test_an_empty_survey_has_no_score() -> None:
    empty = some([])
    assert check(empty, DAY).usable == 0
    assert scores(empty, DAY, 365).empty


def test_later_churn_by_what_was_said(tables_of: Callable[..., Tables]) -> None:
    """100 detractors of whom 60 come back, 100 promoters of whom 90 do; who had not bought before does not count."""
    people = [f"c{n}" for n in range(200)]
    rows = [(name, DAY - timedelta(days=5)) for name in people]
    rows += [(name, DAY + timedelta(days=5)) for name in [*people[:60], *people[100:190]]]
    log = pd.DataFrame(rows, columns=["customer", "day"]).assign(amount=5.0, order="1")
    said = [(name, DAY - timedelta(days=2), 3.0 if n < 100 else 9.0) for n, name in enumerate(people)]
    survey = survey_of([*said, ("stranger", DAY - timedelta(days=2), 0.0), ("c0", DAY + timedelta(days=1), 10.0)])
    found = later_churn(survey, tables_of(log), DAY, horizon_days=30, active_within_days=60, within_days=365)
    assert found.by_loyalty["churned"].to_dict() == {"promoters": 10, "passives": 0, "detractors": 40}
    assert found.difference is not None
    assert found.difference.estimate == pytest.approx(0.3)
    # Newcombe (1998), method 10, by hand from Wilson's ends 0.3231 to 0.4822 and 0.0607 to 0.1604.
    assert (found.difference.low, found.difference.high) == pytest.approx((0.2022, 0.3911), abs=2e-4)


def test_without_detractors_there_is_no_difference(tables_of: Callable[..., Tables]) -> None:
    log = pd.DataFrame([("c0", DAY - timedelta(days=5), 5.0, "1")], columns=["customer", "day", "amount", "order"])
    found = later_churn(some([9.0]), tables_of(log), DAY, horizon_days=30, active_within_days=60, within_days=365)
    assert found.difference is None


def test_a_survey_is_read_from_its_file(make_shop: Callable[..., Any], shop_toml: str) -> None:
    survey = '\n[survey]\nsource = "data/raw/survey.csv"\ncustomer = "who"\ntime = "at"\nscore = "nps"\n'
    log = "".join(f"{who},2020-0{month}-01,1\n" for who in "ab" for month in (1, 2))
    root = make_shop(f"customer,time,amount\n{log}", shop_toml + survey)
    (root / "data" / "raw" / "survey.csv").write_text("who,at,nps\na,2020-02-01,9\n,2020-02-01,1\nb,2020-02-02,often\n")
    data: Prepared = Prepared("shop", load_dataset("shop", root), root)
    assert data.survey is not None
    rows = sorted(data.survey.to_pyarrow().to_pylist(), key=lambda row: row["customer"])
    assert [(row["customer"], row["day"], row["score"]) for row in rows] == [
        ("a", date(2020, 2, 1), 9.0),
        ("b", date(2020, 2, 2), None),
    ]
