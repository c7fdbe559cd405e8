"""The allocation on Complete Journey when the effects are stated: against the best whole choice, found another way.

What a contact truly changes for these households nobody knows. Given what the rules say of it, the best choice is
known: SciPy's mixed-integer solver, which shares nothing with the allocation but the candidates, proves it. The risk of
leaving is told from the time since the last purchase.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from acting_shop import scored
from loyalty.action_plan import Plan, planned
from loyalty.programme.allocation import Limits, allocate
from loyalty.programme.regret import AS_FAR, AT_RANDOM, BY_RISK, EVERYONE, regret
from loyalty.study import Study
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array

pytestmark = pytest.mark.slow

RULES = """
[[actions.rules]]
name = "news"
when = "purchase_days >= 2"
channel = "e-mail"
offer = "What is new"
kind = "information"
cost = 0.02
cool_down_days = 30
assumed = { of = "purchase", low = 0.0, high = 0.02 }

[[actions.rules]]
name = "letter"
when = "days_since_last >= 7"
channel = "post"
offer = "Two dollars off"
kind = "discount"
cost = 0.6
reward = 2.0
cool_down_days = 30
assumed = { of = "purchase", low = 0.0, high = 0.3 }

[[actions.rules]]
name = "call"
when = "spend_rank >= 0.5"
channel = "telephone"
offer = "Are you content?"
kind = "service"
cost = 3.0
cool_down_days = 30
assumed = { of = "spend", low = 0.0, high = 30.0 }
"""


@pytest.fixture(scope="module")
def plan(journey: Study, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Complete Journey with three rules, whose costs and effects differ."""
    root: Path = tmp_path_factory.mktemp("stated")
    (root / "notebooks").mkdir()
    (root / "data").mkdir()
    dataset = (journey.root / "data" / "complete_journey.toml").read_text("utf-8")
    (root / "data" / "complete_journey.toml").write_text(dataset + RULES, "utf-8")
    study = Study.open("complete-journey", root=root)
    with scored(study):
        return planned(study)


def best(values: pd.DataFrame, budget: float) -> float:
    """Value of the best choice of at most one offer a customer within the budget, proved to a ten-thousandth."""
    customer = pd.factorize(values["customer"])[0]
    one = coo_array((np.ones(len(values)), (customer, np.arange(len(values))))).tocsr()
    cost = csr_array(values["cost"].to_numpy()[None, :])
    found = milp(
        -values["value"].to_numpy(), integrality=np.ones(len(values)), bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one, ub=1), LinearConstraint(cost, ub=budget)], options={"mip_rel_gap": 1e-4},
    )  # fmt: skip
    assert found.status == 0, found.message
    return float(-found.fun)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_given_the_effects_the_choice_is_the_best_there_is_and_beats_simpler_ways(plan: Plan, share: float) -> None:
    values = plan.values
    assert values["customer"].nunique() > 1000
    assert values["rule"].nunique() == 3
    limits = Limits(share * allocate(values).cost)
    found, quick = (allocate(values, limits, method) for method in ("linear programme", "greedy"))
    oracle = best(values, limits.budget)
    assert found.value.estimate == pytest.approx(oracle, rel=1e-3)
    assert found.value.estimate <= found.bound * (1 + 1e-9)
    assert 0.9 * oracle <= quick.value.estimate <= found.bound * (1 + 1e-9)
    others = regret(values, found, limits, plan.risk).set_index("rule")["value"]
    assert found.value.estimate > 1.1 * max(others[name] for name in (AS_FAR, AT_RANDOM, BY_RISK))


def test_without_a_budget_it_still_beats_contacting_everyone(plan: Plan) -> None:
    """Everyone, whatever it costs, has no budget: so that it is held against the choice that has none either."""
    found = allocate(plan.values)
    assert found.value.estimate == pytest.approx(best(plan.values, np.inf), rel=1e-9)
    assert found.value.estimate > regret(plan.values, found, Limits(), plan.risk).set_index("rule")["value"][EVERYONE]
