"""The model card: whole, safe, the same as JSON, and true to what was tested."""

import json
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.features.build import dictionary
from loyalty.models.line_up import BLEND, RATE
from loyalty.reporting import card, card_churn, card_parts, card_value
from loyalty.reporting.render import Heading, Page
from loyalty.study import Study
from sklearn.metrics import brier_score_loss, log_loss

HEADING = Heading(
    dataset="Corner <shop>",
    as_of=date(2024, 3, 1),
    horizon_days=28,
    notice="",
    created=datetime(2024, 3, 2, tzinfo=UTC),
)
PAGES = [Page(name="04_churn", label="Churn", title="Churn", question="Who?")]


def a_card(**changed: Any) -> dict[str, Any]:
    random = np.random.default_rng(1)
    p = pd.Series(random.uniform(0.05, 0.5, 300))
    churned = pd.Series(random.random(300) < p)
    told = pd.Series({"auc": 0.7, "auc_low": 0.65, "auc_high": 0.75})
    return {
        "title": "Model card: who will leave",
        "model": "XGBoost",
        "summary": "Good **enough**; sold as <script>alert(1)</script>.",
        "intended_use": list(card_churn.INTENDED_USE),
        "not_for": list(card_churn.NOT_FOR),
        "definition": "No purchase in 28 days.",
        "data": {"Data set": "Corner <shop>", "Test date": "1 January 2024"},
        "metrics": card_churn.metrics(churned, p, told),
        "limits": ["One test is one draw."],
        "features": card_parts.features(["T", "spend_30", "spend_60", "profile_income"]),
        "making": card_parts.making("abc123", "run7"),
    } | changed


def test_the_page_holds_every_section_and_asks_no_other_host_for_anything() -> None:
    page = card.files({card.CHURN: a_card()}, pages=PAGES, heading=HEADING)["model-card.html"]
    for heading in ("What it is for", "What it predicts", "How good it was", "Where it fails", "What it looks at"):
        assert heading in page
    assert "<strong>enough</strong>" in page
    assert "<script>" not in page
    assert "Corner &lt;shop&gt;" in page
    assert "default-src &#39;none&#39;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert '<a href="04_churn.html">Churn</a>' in page
    assert "abc123" in page
    assert "65 to 75\u00a0%" in page


def test_the_json_is_the_card() -> None:
    said = a_card()
    text = card.files({card.CHURN: said}, pages=PAGES, heading=HEADING)["model-card.json"]
    assert json.loads(text) == said
    assert "NaN" not in text


@pytest.mark.parametrize("section", ["limits", "not_for", "metrics"])
def test_a_card_that_leaves_something_out_is_none(section: str) -> None:
    with pytest.raises(ValueError, match=f"a model card without {section}"):
        card.files({card.CHURN: a_card(), card.VALUE: a_card(**{section: []})}, pages=PAGES, heading=HEADING)


def test_metrics_are_those_of_scikit_learn_and_lie_in_their_intervals() -> None:
    random = np.random.default_rng(3)
    p = pd.Series(random.uniform(0.05, 0.6, 2000))
    churned = pd.Series(random.random(2000) < p)
    told = {
        one["name"]: one
        for one in card_churn.metrics(churned, p, pd.Series({"auc": 0.7, "auc_low": 0.6, "auc_high": 0.8}))
    }
    assert told["Log-loss"]["value"] == pytest.approx(log_loss(churned, p))
    assert told["Brier score"]["value"] == pytest.approx(brier_score_loss(churned, p))
    assert told["Leavers promised"]["value"] == pytest.approx(p.sum())
    low, high = told["Share that left"]["low"], told["Share that left"]["high"]
    assert low < churned.mean() < high


def test_the_interval_of_a_loss_holds_the_loss_of_the_truth_nine_times_in_ten() -> None:
    told = pd.Series({"auc": 0.7, "auc_low": 0.6, "auc_high": 0.8})
    held = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        p = pd.Series(random.uniform(0.05, 0.6, 500))
        loss = card_churn.metrics(p, p, told)[1]["value"]  # of probabilities that are right: their own entropy
        found = card_churn.metrics(pd.Series(random.random(500) < p), p, told)[1]
        held += found["low"] < loss < found["high"]
    assert 82 <= held <= 97


def test_a_measure_without_an_interval_says_so() -> None:
    told = card_churn.metrics(pd.Series([True, False] * 5), pd.Series([0.5] * 10), pd.Series(dict.fromkeys(
        ("auc", "auc_low", "auc_high"), np.nan)))  # fmt: skip
    assert told[0]["low"] is None
    page = card.files({card.CHURN: a_card(metrics=told)}, pages=PAGES, heading=HEADING)["model-card.html"]
    assert "nan" not in page


def test_features_are_told_by_label_within_their_groups() -> None:
    told = card_parts.features([*dictionary(), "profile_income", "unheard_of"])
    assert "Others" not in told
    assert told["Income"] == "income"
    assert "spend in the last 30 days; spend in the last 60 days" in told["Spend"]
    assert not any("_" in text for text in told.values())


def test_cards_lead_to_each_other_and_write_money_in_its_currency() -> None:
    spend = card_parts.metric("Mean error", 12.5, 10.0, 15.0, "money", "smaller is better", "GBP")
    cards = {card.CHURN: a_card(), card.VALUE: a_card(title="What they spend", metrics=[spend])}
    files = card.files(cards, pages=PAGES, heading=HEADING)
    assert sorted(files) == ["model-card-value.html", "model-card-value.json", "model-card.html", "model-card.json"]
    assert '<a href="model-card-value.html">What they spend</a>' in files["model-card.html"]
    assert '<a href="model-card.html">Model card: who will leave</a>' in files["model-card-value.html"]
    assert "£10.00 to £15.00" in files["model-card-value.html"]
    assert json.loads(files["model-card-value.json"])["metrics"] == [spend]


@pytest.mark.parametrize("name", ["simulated", pytest.param("cdnow", marks=pytest.mark.slow)])
def test_a_study_has_a_card_of_either_model(name: str, request: pytest.FixtureRequest) -> None:
    study: Study = request.getfixturevalue(name)
    said = card.describe(study)
    files = card.files(said, pages=PAGES, heading=HEADING)
    assert set(files) == {f"{one}.{kind}" for one in (card.CHURN, card.VALUE) for kind in ("html", "json")}
    assert said[card.CHURN]["model"] == study.churn()["about"]["winner"]
    assert said[card.VALUE]["model"] == study.in_use()["about"]["value"]
    for file in ("model-card.json", "model-card-value.json"):
        assert study.dataset.title in files[file]
        assert "NaN" not in files[file]


def value_of(study: Study, model: str, winner: str = BLEND) -> dict[str, Any]:
    """The card of a model after a tournament that another may have won."""
    used, told = study.in_use(), study.tournament()
    value = told["about"]["value"] | {"winner": winner}
    other = Study.open(study.name, root=study.root, horizon_days=study.horizon_days)
    other._results["churn"] = study.churn()
    other._results["in_use"] = used | {"about": used["about"] | {"value": model}}
    other._results["tournament"] = told | {"about": told["about"] | {"value": value}}
    return card_value.describe(other)


def test_the_card_of_value_tells_what_the_model_in_use_did_on_the_test_date(simulated: Study) -> None:
    said = value_of(simulated, BLEND)
    table, day = simulated.tournament()["value"], simulated.tournament()["about"]["days"][0]
    row = table[(table["date"] == day) & (table["contender"] == BLEND)].iloc[0]
    told = {one["name"]: one for one in said["metrics"]}
    assert told["Mean error per customer"]["value"] == row["mae"]
    assert told["Mean error per customer"]["currency"] == simulated.dataset.currency
    assert told["Total off by"]["value"] == pytest.approx(row["expected"] / row["spent"] - 1)
    held = told["Inside the 90 % interval"]
    assert held["low"] < row["coverage"] == held["value"] < held["high"]
    gain = told["Mean error less than the rule's"]
    rule = simulated.tournament()["about"]["value"]["rule"]
    theirs = table[(table["date"] == day) & (table["contender"] == rule)].iloc[0]["mae"]
    assert gain["low"] < gain["value"] == pytest.approx(theirs - row["mae"])
    assert "days since first purchase" in said["features"]["Time since the first purchase"]


def test_where_a_rule_says_what_is_spent_its_card_has_no_interval_and_no_features(simulated: Study) -> None:
    said = value_of(simulated, RATE, winner=RATE)
    names = [one["name"] for one in said["metrics"]]
    assert "Mean error per customer" in names
    assert not {"Inside the 90 % interval", "Width of the interval"} & set(names)
    assert said["features"] == {"The rule alone": "rate so far"}
    assert "Intervals" not in said["definition"]


def test_the_card_says_who_won_where_the_blend_is_used_all_the_same(simulated: Study) -> None:
    said = value_of(simulated, BLEND, winner="BG/NBD")["summary"]
    assert "On the dates before, BG/NBD alone" in said
    assert "Blend is used because it alone gives intervals" in said
    assert "alone" not in value_of(simulated, BLEND)["summary"]
