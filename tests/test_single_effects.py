"""What a campaign taught about single customers enters the choice of actions, where customers are shown to differ."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from acting_shop import RULES, opened, scored
from loyalty import action_plan
from loyalty.action_plan import planned
from loyalty.actions import actions
from loyalty.commands.actions import make
from loyalty.gains import Over, single_effects, who_gains
from loyalty.store import Store
from loyalty.study import Study

GAIN = 20.0
"""What a contact adds to the spend of customers who came often before; to that of others nothing."""


@pytest.fixture(scope="module")
def study(make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str) -> Study:
    return opened(make_shop(simulated_log, shop_toml + RULES))


def often(study: Study, day: Any) -> pd.Series:
    """Whether a customer had come on more than four days before a date."""
    days = study.data.tables.days.to_pandas()
    known = days[pd.to_datetime(days["day"]) < pd.Timestamp(day)]
    return known.groupby("customer")["day"].size() > 4


def campaign(study: Study, name: str, gain: float, seed: int = 1) -> Over:
    """A campaign whose arms were drawn, and of which it is known what it changed."""
    random, start = np.random.default_rng(seed), study.known_until - timedelta(days=60)
    frequent = often(study, start)
    treated = random.random(len(frequent)) < 0.5
    spend = 10 + random.normal(0, 3, len(frequent)) + gain * (treated & frequent)
    people = pd.DataFrame(
        {"customer": frequent.index, "arm": np.where(treated, "treated", "control"), "spend": spend.to_numpy()}
    )
    return Over(name, start, 28, people, int(min(treated.sum(), (~treated).sum())), 0.01)


@pytest.fixture(scope="module")
def taught(study: Study, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What is kept of three campaigns: one of a rule, one that showed no difference, one of nobody's."""
    over = [
        campaign(study, f"hello {study.first_day}", GAIN), campaign(study, "letter", 0.0, 2), campaign(study, "x", GAIN)
    ]  # fmt: skip
    response, single = who_gains(study, over)
    assert response is not None
    kept = Store(tmp_path_factory.mktemp("kept")).get("effects", lambda: {"single": single})
    return kept["single"]  # type: ignore[no-any-return]


@pytest.mark.slow
def test_only_rules_whose_customers_differ_are_taught(taught: list[dict[str, Any]]) -> None:
    assert [each["rule"] for each in taught] == ["hello"]


@pytest.mark.slow
def test_each_customer_gets_the_effect_that_was_learned(study: Study, taught: list[dict[str, Any]]) -> None:
    found = single_effects(study, taught)
    assert found is not None
    frequent = found["customer"].map(often(study, study.known_until)).astype(bool)
    means = found.groupby(frequent)["effect"].mean()
    assert means[True] == pytest.approx(GAIN, abs=4)
    assert means[False] == pytest.approx(0.0, abs=4)
    assert (found["low"] < found["effect"]).all()
    assert set(found["design"]) == {"randomised"}
    assert not found["customer"].duplicated().any()


@pytest.mark.slow
def test_the_plan_counts_with_it_and_with_the_rule_where_it_is_not_known(
    study: Study, taught: list[dict[str, Any]]
) -> None:
    with scored(study), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Study, "effects", lambda _: {"randomised": [], "observed": [], "single": taught})
        plan = planned(study)
    assert plan.single == ("hello",)
    rows = plan.values[plan.values["rule"] == "hello"].set_index("customer")
    found = single_effects(study, taught)
    assert found is not None
    learned = found.set_index("customer")["effect"]
    known = rows.index.intersection(learned.index)
    assert len(known) > 100
    pd.testing.assert_series_equal(rows.loc[known, "effect"], learned[known], check_names=False)
    assert set(rows.loc[known, "design"]) == {"randomised"}
    assert set(rows.drop(known)["design"]) == {"assumed"}


def test_the_plan_is_made_once(study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LOYALTY_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = []

    def counted(each: Study) -> Any:
        made.append(each)
        return planned(each)

    monkeypatch.setattr(action_plan, "planned", counted)
    fresh = opened(study.root)
    with scored(fresh):
        make(fresh, dry_run=True)
        actions(fresh)
    assert made == [fresh]


def test_without_campaigns_there_is_nothing_to_learn(study: Study) -> None:
    assert who_gains(study, []) == (None, [])
    assert single_effects(study, []) is None
