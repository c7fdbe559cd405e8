"""More customers than may be brought to one machine: a fixed sample of them stands for all, and the pages say so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.models.backtest import RULE
from loyalty.reporting import summary
from loyalty.reporting.chapters import churn, customers, value
from loyalty.schema import Engine, Privacy
from loyalty.sources.simulator import Simulation, simulate
from loyalty.study import Study

pytestmark = pytest.mark.slow

MOST = 1000
"""The least that `engine_settings.training_customers` may be."""
SIMULATED = Simulation(customers=4000, days=240, horizon_days=40, acquisition_days=150, seed=5, plain=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A retailer with four times as many customers, all of whom are looked at."""
    root: Path = tmp_path_factory.mktemp("large")
    for name in ("notebooks", "data"):
        (root / name).mkdir()
    simulate(SIMULATED, "large", root)
    return Study.open("large", root=root, active_within_days=150)


@pytest.fixture(scope="module")
def sampled(whole: Study) -> Study:
    """The same retailer, of whose customers `MOST` may be looked at."""
    return changed(whole, engine_settings=Engine(training_customers=MOST))


def changed(study: Study, **update: Any) -> Study:
    return Study(
        study.name,
        study.dataset.model_copy(update=update),
        study.root,
        study.data,
        as_of=study.as_of,
        horizon_days=study.horizon_days,
        active_within_days=study.active_within_days,
    )


def test_no_frame_has_more_customers_than_allowed(whole: Study, sampled: Study) -> None:
    assert sampled.key != whole.key
    holdout, scored = sampled.churn(), sampled.value()
    frames = [holdout["scores"], holdout["features"], holdout["holdout"], holdout["contributions"], scored["customers"]]
    frames += [sampled.value_holdout()["customers"], sampled.histories(), sampled.features()]
    assert {len(frame) for frame in frames} == {MOST}
    assert min(len(whole.churn()["scores"]), len(whole.histories())) > 2 * MOST


def test_with_as_many_allowed_as_there_are_nothing_is_left_out(whole: Study) -> None:
    everyone = len(whole.histories())
    same = changed(whole, engine_settings=Engine(training_customers=everyone))
    for name in ("churn", "value", "value_holdout"):
        one, other = getattr(same, name)(), getattr(whole, name)()
        for part, expected in other.items():
            if isinstance(expected, pd.DataFrame):
                pd.testing.assert_frame_equal(one[part], expected)
            else:
                assert one[part] == expected


def test_counts_and_what_happened_are_of_everyone(whole: Study, sampled: Study) -> None:
    for name in ("periods", "segments", "concentration", "retention", "weekly"):
        pd.testing.assert_frame_equal(getattr(sampled, name)(), getattr(whole, name)())
    columns = ["day", "actual", "rate", "last"]
    pd.testing.assert_frame_equal(sampled.value_backtest()[columns], whole.value_backtest()[columns])
    told, expected = sampled.value_holdout()["totals"], whole.value_holdout()["totals"]
    each = whole.value_holdout()["customers"]
    for name in ("purchases", "spend", "rate_purchases", "rate_spend", "last_purchases", "last_spend"):
        assert told[name] == pytest.approx(expected[name]) == pytest.approx(each[name].sum())
    assert told["customers"] == expected["customers"] == len(each)


def test_totals_agree_within_their_intervals(whole: Study, sampled: Study) -> None:
    told, expected = sampled.value()["totals"], whole.value()["totals"]
    # Purchases are of everyone's histories; what a purchase is worth was learned from the sample.
    for name in ("customers", "repeat_buyers", "repeat_buyers_alive", "expected_purchases"):
        assert told[name] == pytest.approx(expected[name])
    for name in ("expected_spend", "clv"):
        assert told[f"{name}_low"] < expected[name] < told[f"{name}_high"]
        assert told[name] == pytest.approx(expected[name], rel=0.1)
        widths = [totals[f"{name}_high"] - totals[f"{name}_low"] for totals in (expected, told)]
        assert widths[0] < widths[1] < 2.5 * widths[0]
    assert told["active_spend"] == pytest.approx(expected["active_spend"], rel=0.1)


def test_leavers_are_scaled_up_with_the_error_of_the_sample(whole: Study, sampled: Study) -> None:
    told, expected = churn.leavers(sampled), churn.leavers(whole)
    assert told.low < expected.mean < told.high
    scores, everyone = sampled.churn()["scores"]["churn_probability"], churn.active_customers(sampled)
    assert everyone == len(whole.churn()["scores"]) > len(scores)
    assert told.mean == pytest.approx(scores.mean() * everyone)
    error = everyone * np.sqrt(scores.var() / MOST * (1 - MOST / everyone))
    assert (told.high - told.low) / 2 > 1.645 * error
    # The rule learned from a sample and was asked of one.
    assert churn.promised(sampled, RULE) == pytest.approx(whole.churn()["holdout"][RULE].sum(), rel=0.05)
    assert churn.outcome(sampled) == (len(whole.churn()["holdout"]), whole.churn()["holdout"]["churned"].sum())


def test_bands_hold_all_active_customers(whole: Study, sampled: Study) -> None:
    table, expected = churn.bands(sampled), churn.bands(whole)
    assert table["seen"].sum() == MOST
    assert table["customers"].sum() == pytest.approx(expected["customers"].sum(), abs=len(table))
    assert table["leavers"].sum() == pytest.approx(churn.leavers(sampled).mean)
    mean = sampled.churn()["scores"]["expected_spend"].mean()
    assert table["spend"].sum() == pytest.approx(mean * churn.active_customers(sampled))


def test_a_band_of_few_in_the_sample_is_hidden_however_many_it_stands_for(sampled: Study) -> None:
    seen = churn.bands(sampled)["seen"]
    strict = changed(sampled, privacy=Privacy(minimum_cell=int(seen[seen > 0].min()) + 1))
    assert (churn.bands(strict).loc[seen.idxmin(), "customers"]) > strict.dataset.privacy.minimum_cell
    assert churn.publishable_bands(strict)["customers"].isna().sum() == 2  # and the next, for the total would tell it
    html = churn.risk(strict).as_raw_html()
    assert html.count("hidden</td>") == 2
    assert "&lt;" not in html
    assert churn.few(strict) == "hidden"


PAGES: dict[str, tuple[Callable[[Study], str], str]] = {
    "churn": (churn.definition, "active customers"),
    "churn, tests": (churn.definition, "customers active on the test date"),
    "value": (value.limits, "customers"),
    "value, tests": (value.explain_holdout, "customers"),
    "summary": (summary.limits, "active customers"),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_it_was_computed_on(page: str, whole: Study, sampled: Study) -> None:
    say, whom = PAGES[page]
    everyone = {
        "churn": len(whole.churn()["scores"]),
        "churn, tests": len(whole.churn()["holdout"]),
        "value": len(whole.histories()),
        "value, tests": len(whole.value_holdout()["customers"]),
        "summary": len(whole.churn()["scores"]),
    }[page]
    assert f"are computed on a fixed random sample of 1,000 of {everyone:,} {whom}" in say(sampled)
    assert "sample" not in say(whole)


def test_every_count_of_the_pages_is_of_everyone(whole: Study, sampled: Study) -> None:
    """What is told of the same date and the same customers is the same number on both."""
    for say, size in (
        (churn.answer, len(whole.churn()["scores"])),
        (value.answer, len(whole.histories())),
        (value.explain_holdout, len(whole.value_holdout()["customers"])),
        (value.read_alive, int((whole.histories()["frequency"] > 0).sum())),
        (summary.meeting, len(whole.churn()["scores"])),
    ):
        assert f"{size:,}" in say(whole)
        assert f"{size:,}" in say(sampled)
        assert "1,000 " not in say(sampled).replace("1,000 of", "")
    assert customers.answer(sampled) == customers.answer(whole)
    left = f"{whole.churn()['holdout']['churned'].sum():,}"
    for say in (churn.read_list, churn.read_calibration, summary.certainty):
        assert left in say(sampled)
