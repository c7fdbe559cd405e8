"""What the page Backtest says: whole sentences, the rule where it wins, and figures that a second route finds."""

import copy
import inspect
import re
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from loyalty import origins
from loyalty.models.contenders import CONTENDERS
from loyalty.models.entrants import INCUMBENTS
from loyalty.models.line_up import BLEND, NAIVE, SILENCE
from loyalty.models.standings import CHURN
from loyalty.reporting import words
from loyalty.reporting.chapters import backtest, backtest_value
from loyalty.study import Study
from sklearn.metrics import roc_auc_score

BROKEN = re.compile(r"\bnan\b|\bNaN\b|\bNone\b|\binf\b|  |\.\.|\{|−0(\.0+)?\b|–")


def said(module: ModuleType) -> list[str]:
    return [
        name
        for name, thing in vars(module).items()
        if inspect.isfunction(thing)
        and thing.__module__ == module.__name__
        and list(inspect.signature(thing).parameters) == ["study"]
        and thing.__annotations__["return"] is str
    ]


SAYING = [(module, name) for module in (backtest, backtest_value) for name in said(module)]
CLAUSES = {"past_dates", "last_test", "left_out", "scope", "read_coverage"}


class Changed:
    """A study whose tournament ended otherwise."""

    def __init__(self, study: Study, result: dict[str, Any]) -> None:
        self._study, self._result = study, result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def tournament(self) -> dict[str, Any]:
        return self._result


def won_by(study: Study, winner: dict[str, str]) -> Study:
    result = copy.deepcopy(study.tournament())
    for game, name in winner.items():
        result["about"][game]["winner"] = name
    result["calibration"]["contender"] = winner.get("churn", "Blend")
    result["tenths"]["contender"] = winner.get("value", "Blend")
    return cast("Study", Changed(study, result))


@pytest.fixture(scope="module")
def study(simulated: Study) -> Study:
    simulated.tournament()
    return simulated


@pytest.fixture(params=["as it came", "rules", "second rules", "models"])
def told(request: pytest.FixtureRequest, study: Study) -> Study:
    winners = {
        "as it came": {},
        "rules": {"churn": SILENCE, "value": "Same as last period"},
        "second rules": {"churn": "Orders of late", "value": "Rate so far"},
        "models": {"churn": "XGBoost", "value": "BG/NBD"},
    }[request.param]
    return won_by(study, winners) if winners else study


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name"), SAYING, ids=[name for _, name in SAYING])
def test_it_is_whole_sentences_whoever_wins(module: ModuleType, name: str, told: Study) -> None:
    text = getattr(module, name)(told)
    assert BROKEN.search(text) is None, text
    if name not in {*CLAUSES, "standing"}:
        assert text.endswith("."), text


@pytest.fixture(scope="module", params=["few customers", "one date"])
def little(request: pytest.FixtureRequest, simulated_log: pd.DataFrame, make_shop: Callable[..., Any]) -> Study:
    """A shop of 60 customers, and one whose log is two periods long."""
    if request.param == "few customers":
        return Study.open("shop", root=make_shop(simulated_log[simulated_log["customer"] < "c060"]))
    return Study.open("shop", root=make_shop(simulated_log[simulated_log["time"] < "2020-04-01"]), horizon_days=40)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name"), SAYING, ids=[name for _, name in SAYING])
def test_little_is_told_in_whole_sentences_too(module: ModuleType, name: str, little: Study) -> None:
    text = getattr(module, name)(little)
    assert BROKEN.search(text) is None, text


@pytest.mark.slow
def test_with_few_events_trees_stay_away_and_it_is_said(little: Study) -> None:
    about = little.tournament()["about"]
    if len(about["days"]) > 1:
        assert "XGBoost did not play: too little to learn from" in backtest.left_out(little)
        assert set(about["churn"]["playing"]) <= {*NAIVE, *CONTENDERS, *INCUMBENTS, BLEND}
        assert set(about["value"]["playing"]) <= {*NAIVE, *CONTENDERS, *INCUMBENTS, BLEND}
    else:
        assert "no earlier date to learn from" in backtest.rules(little)
        assert not about["later"]


@pytest.mark.slow
def test_no_group_is_of_few_customers(little: Study) -> None:
    cell = little.dataset.privacy.minimum_cell
    assert all((curve["customers"] >= cell).all() for curve in backtest.calibration_curves(little).values())
    assert (backtest_value.tenths(little)["customers"] >= cell).all()


@pytest.mark.slow
def test_answer_and_meeting_are_short(told: Study) -> None:
    assert len(re.findall(r"\.(?: |$)", backtest.answer(told))) == 3
    assert len(backtest.meeting(told)) < 300


@pytest.mark.slow
def test_a_rule_that_wins_is_called_the_one_to_use(study: Study) -> None:
    rules = won_by(study, {"churn": SILENCE, "value": "Rate so far"})
    assert "no model clearly beats the simple rule “days since last purchase”, which is the one to use" in (
        backtest.answer(rules)
    )
    assert "“rate so far”, which is the one to use" in backtest.say_value(rules)
    assert "“Days since last purchase” stays" in backtest.read_churn(rules)
    models = won_by(study, {"churn": "XGBoost", "value": "BG/NBD"})
    assert "which is the one to use" not in backtest.answer(models)


@pytest.mark.slow
def test_tables_hold_every_contender_and_mark_the_chosen_one(study: Study) -> None:
    for game, table in (("churn", backtest.churn_table(study)), ("value", backtest_value.league(study))):
        html = table.as_raw_html()
        about = backtest.about(study, game)
        assert [name for name in about["playing"] if name not in html] == []
        assert html.count("(chosen)") == 1
        assert f"{about['winner']} (chosen)" in html
        assert not re.search(r">(nan|None|NaN)<", html)


@pytest.mark.slow
def test_the_rule_tells_as_many_pairs_apart_as_scikit_learn_finds(study: Study) -> None:
    """Days since the last purchase order customers as any rising curve of them does."""
    for day in study.origins()[:-1]:
        origin = origins.seen(study, day)
        area = roc_auc_score(origin.churned.loc[origin.features.index], origin.features["days_since_last"])
        assert backtest.scores(study, "churn", day.isoformat()).loc[SILENCE, "auc"] == pytest.approx(area)


@pytest.mark.slow
def test_four_dates_are_tested_however_few_the_study_learns_from(study: Study) -> None:
    about = study.tournament()["about"]
    assert study.dataset.study.origins < 4
    assert len(about["days"]) == 4
    assert about["days"] == [study.origin(back).isoformat() for back in (1, 2, 3, 4)]
    assert about["customers"] == [len(study.outcomes(study.origin(back))) for back in (1, 2, 3, 4)]


@pytest.mark.slow
def test_what_is_best_afterwards_is_not_what_is_told_of_the_cut_off(study: Study) -> None:
    found, curves = backtest.cut_off(study), backtest.profit_curves(study)
    best = next(iter(curves.values()))
    assert found["profit"] <= best.max() + 0.01 * abs(best.max())
    assert best.iloc[0] == 0
    assert best.iloc[-1] == pytest.approx(found["everyone"])
    assert words.percent(found["share"]) in backtest.read_profit(study)


@pytest.mark.slow
def test_differences_are_told_for_every_date_and_over_all(study: Study) -> None:
    result = study.tournament()
    dates = {*result["about"]["days"], "all", "earlier"}
    others = len(result["about"]["churn"]["playing"]) - 1
    assert set(result["churn_gains"]["date"]) == dates
    assert len(result["churn_gains"]) == len(dates) * others * len(CHURN.measures)
    for table in (result["churn_gains"], result["value_gains"]):
        known = table.dropna()
        assert ((known["low"] <= known["high"]) & np.isfinite(known["gain"])).all()


def test_a_difference_is_read_by_its_interval() -> None:
    table = pd.DataFrame(
        {"gain": [0.1, 0.3, 0.0, -0.2], "low": [0.05, 0.2, -0.1, -0.3], "high": [0.2, 0.4, 0.1, -0.1]},
        index=["one", "two", "three", "four"],
    )
    text = backtest.read_gains(table, "The rule", "log-loss")
    assert "against “the rule”, 2 of 4 contenders are better beyond the error, two by most, 1 cannot be told" in text
    assert "and 1 is worse." in text
    assert "none of 2 contenders is better" in backtest.read_gains(table.iloc[2:], "The rule", "log-loss")
    assert backtest.read_gains(table.iloc[:0], "The rule", "x") == "Nobody but “the rule” took part."


def test_a_gain_is_told_with_its_sign_in_words() -> None:
    gain = pd.Series({"gain": -0.2, "low": -0.3, "high": -0.1})
    assert backtest.by_how_much(gain, words.number) == "worse (by 0.2; 90 % interval 0.1 to 0.3)"
    gain = pd.Series({"gain": 0.2, "low": 0.1, "high": 0.3})
    assert backtest.by_how_much(gain, words.number) == "better (by 0.2; 90 % interval 0.1 to 0.3)"


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"later": False, "days": ["2020-01-01"], "learned": [0]}, "no earlier date to learn from"),
        ({"later": True, "days": ["2020-01-01"], "learned": [50]}, "One date is few"),
        ({"later": True, "days": ["2020-02-01", "2020-01-01"], "learned": [90, 50]}, "would allow four"),
    ],
)
def test_a_short_log_is_told_to_be_one(about: dict[str, Any], expected: str) -> None:
    study = SimpleNamespace(tournament=lambda: {"about": about})
    assert expected in backtest.how_learned(cast("Study", study))


def test_who_did_not_play_is_told() -> None:
    notes = {"XGBoost": ["did not play: only 12 left", "was slow"], "NBD": ["not determined"]}
    about = {"skipped": {"2020-01-01": "in the test nobody left"}, "notes": notes}
    text = backtest.left_out(cast("Study", SimpleNamespace(tournament=lambda: {"about": about})))
    assert text == "1 January 2020 could not be tested: in the test nobody left. XGBoost did not play: only 12 left."
