"""What the page says of goals, the budget and satisfaction: whole sentences, and nothing of few customers."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import progress
from loyalty.reporting import goal_figures as figures
from loyalty.reporting.chapters import budget, goal_parts, goals, satisfaction
from loyalty.reporting.chapters.goal_numbers import change_writer, told, writer
from loyalty.study import Study
from matplotlib import pyplot as plt

BROKEN = re.compile(r"\bnan\b|\bNone\b|\binf\b|\bTrue\b|\bFalse\b|  |\.\.|<NA>|\{|NaT")
DAYS = pd.to_datetime(["2020-07-18", "2020-10-26", "2021-02-03"])


def teardown_function() -> None:
    plt.close("all")


class Steps:
    """A study of which only some steps are known."""

    def __init__(self, study: Study, **steps: Any) -> None:
        self.dataset, self.known_until, self.events = study.dataset, study.known_until, study.events
        for name, step in steps.items():
            setattr(self, name, lambda step=step: step)


def steps(study: Study, **made: Any) -> Study:
    return Steps(study, **made)  # type: ignore[return-value]


def goal(label: str, unit: str, **more: Any) -> dict[str, Any]:
    return {
        "label": label, "unit": unit, "definition": "As it is counted.", "starts": "2020-10-01", "start": 0.4,
        "start_customers": 300, "target": 0.5, "deadline": "2021-09-30", "verdict": "behind", "probability": 0.123,
        "at_deadline": {"estimate": 0.45, "low": 0.3, "high": 0.6}, "model": "stays as it is now", "notes": [],
        "refused": "", "carried": ["2020-07-18", "2021-02-03"],
    } | more  # fmt: skip


def step(customers: int = 300, carriers: tuple[int, ...] = (100, 90, 80), **goals_: dict[str, Any]) -> dict[str, Any]:
    """One or more goals, all with the same numbers."""
    made = goals_ or {"repurchase": goal("Repurchase rate", "share")}
    actual = pd.DataFrame(
        {
            "end": DAYS, "customers": [5, 300, customers], "value": [0.9, 0.42, 0.43], "standard_error": 0.01,
            "low": 0.4, "high": 0.46, "target": [np.nan, 0.41, 0.46],
        }
    )  # fmt: skip
    ahead = pd.DataFrame({"end": pd.to_datetime(["2021-10-01"]), "value": 0.45, "low": 0.3, "high": 0.6, "target": 0.5})
    stages = pd.DataFrame(
        {
            "by": pd.to_datetime(["2020-12-31", "2021-05-31"]), "target": [0.45, 0.48], "value": [0.44, np.nan],
            "customers": [4, 0], "verdict": ["missed", "to come"],
        }
    )  # fmt: skip
    parts = pd.DataFrame(
        {
            "name": [f"group {number}" for number in range(len(carriers))], "customers_before": carriers,
            "customers_after": 100, "rate_before": 0.4, "rate_after": 0.5, "rate_effect": 0.02, "mix_effect": 0.001,
            "effect": 0.021,
        }
    )  # fmt: skip
    frames = {"actual": actual, "forecast": ahead, "stages": stages, "carriers": parts}
    stacked = {name: pd.concat([frame.assign(measure=measure) for measure in made]) for name, frame in frames.items()}
    return {"about": {"goals": made, "days": 20}, **stacked}


def whole(*texts: str) -> None:
    """Every text is a sentence or a list of them, without a trace of a machine."""
    for text in texts:
        assert BROKEN.search(text) is None, text
        assert text.endswith((".", "so.")), text


# Goals


def test_without_goals_budget_and_survey_the_page_says_what_they_would_take(simulated: Study) -> None:
    made = {"goal_progress": progress.goals, "budget": progress.budget, "satisfaction": progress.satisfaction}
    study = steps(simulated, **{name: make(simulated) for name, make in made.items()})
    assert not goals.has_goals(study)
    assert not budget.has_budget(study)
    assert not satisfaction.has_survey(study)
    assert "`[goals.churn]`" in goals.opening(study)
    assert "`[budget.launch]`" in budget.opening(study)
    assert "`[survey]`" in satisfaction.opening(study)
    for chapter in (goals, budget, satisfaction):
        whole(chapter.opening(study), chapter.limits(study), chapter.meeting(study))


def test_a_goal_is_told_with_its_error_and_its_chance(simulated: Study) -> None:
    study = steps(simulated, goal_progress=step())
    text = goals.read_overview(study)
    assert "43 % (90 % interval 40 to 46 %) in the 20 days to 2 February 2021" in text
    assert "its path asks for 46 %: behind, which chance may explain" in text
    assert "45 % (90 % interval 30 to 60 %); the chance to be at 50 % or better is 12 %" in text
    assert goals.opening(study).startswith("Of the one goal with a date, repurchase rate is behind its path.")
    assert goals.definitions(study) == ["**Repurchase rate**: As it is counted."]
    assert "As it is counted." in goals.overview(study).as_raw_html()
    whole(text, goals.opening(study), goals.meeting(study), goals.read_panels(study), goals.limits(study))


def test_several_verdicts_are_one_sentence(simulated: Study) -> None:
    made = {
        "repurchase": goal("Repurchase rate", "share"),
        "order_value": goal("Average order value", "money", verdict="ahead", probability=0.999),
        "churn": goal("Churn rate", "share", verdict="missed", at_deadline=None, probability=0.0, model=""),
        "nps": goal("Net promoter score", "points", refused="goals.nps: no answers"),
    }
    study = steps(simulated, goal_progress=step(**made))
    text = goals.opening(study)
    assert "Of 3 goals with a date, churn rate was missed; average order value is ahead of its path; repurchase" in text
    assert "Least likely to arrive is repurchase rate: 12 % by 30 September 2021" in text
    assert "over 99 %" in goals.overview(study).as_raw_html()
    assert goals.missing(study) == "- Of net promoter score nothing can be told: goals.nps: no answers."
    assert "We are behind on repurchase rate and churn rate." in goals.meeting(study)


def test_nothing_is_told_of_few_customers(simulated: Study) -> None:
    few = steps(simulated, goal_progress=step(customers=9))
    assert told(few) == {}
    assert "too few customers are behind it" in goals.missing(few)
    study = steps(simulated, goal_progress=step(carriers=(100, 3, 80, 60, 50)))
    # The first period holds 5 customers, and 90 % of them are nobody's business.
    assert goals.panels(study)[0].actual["value"].tolist() == [0.42, 0.43]
    assert "90 %\n" not in goals.read_overview(study)
    # The small group is hidden, and the next smallest with it; of the others the three largest parts are shown.
    assert re.findall(r"group \d", goal_parts.read_carriers(study)) == ["group 0", "group 2", "group 3"]
    assert "hidden" in goal_parts.stages(study).as_raw_html()
    started_small = goal("Repurchase rate", "share", start_customers=4)
    assert told(steps(simulated, goal_progress=step(repurchase=started_small))) == {}


def test_the_change_has_an_interval(simulated: Study) -> None:
    study = steps(simulated, goal_progress=step())
    made = study.goal_progress()["actual"]
    made.loc[0, "customers"] = 200
    text = goal_parts.read_carriers(study)
    # From 90 to 43 %, each with an error of one point: 1.645 x 1.414 = 2.3 points on either side.
    assert "(90 % interval −49.3 to −44.7 points) from 17 July 2020 to 2 February 2021" in text
    whole(text, goal_parts.read_stages(study))


@pytest.mark.parametrize(
    ("unit", "value", "change"),
    [("share", "43 %", "−2.0 points"), ("money", "€0.43", "−€0.02"), ("count", "0", "0"), ("points", "0", "0.0")],
)
def test_values_are_written_in_their_unit(simulated: Study, unit: str, value: str, change: str) -> None:
    made = goal("Goal", unit)
    assert writer(simulated, made)(0.43) == value
    assert change_writer(simulated, made)(-0.02) == change


def test_every_goal_has_its_panel(simulated: Study) -> None:
    made = {
        "repurchase": goal("Repurchase rate", "share"),
        "order_value": goal("Average order value", "money"),
    }
    fig = figures.paths(goals.panels(steps(simulated, goal_progress=step(**made))), note="simulated data")
    assert fig.get_suptitle() == "Goals: measured, path and forecast (simulated data)"
    first, second = fig.axes
    assert first.get_title(loc="left").startswith("Repurchase rate (share, periods of 20 days)")
    assert second.get_title(loc="left").startswith("Average order value (EUR")
    labels = [text.get_text() for text in fig.legends[0].get_texts()]
    assert labels == ["path, with its stages", "measured (90 %)", "forecast (90 %)"]
    # The fan begins at the last value that was measured.
    forecast = next(line for line in first.lines if line.get_label() == "forecast (90 %)")
    assert forecast.get_ydata()[0] == 0.43
    assert len(figures.paths([]).axes) == 1


# The budget


def money(**returned: Any) -> dict[str, Any]:
    lines = pd.DataFrame(
        [
            ("preparation", "people", 100.0, 100.0, 130.0, 30.0, -30.0, "file"),
            ("launch", "contacts", 200.0, 50.0, 40.0, -10.0, 160.0, "log"),
            ("launch", "rewards", 80.0, 20.0, np.nan, np.nan, np.nan, ""),
        ],
        columns=["phase", "kind", "plan", "due", "actual", "spread", "left", "source"],
    )
    sums = {
        name: lines.groupby(key, sort=False)[["plan", "due", "actual", "spread", "left"]].sum().assign(unknown=0)
        for name, key in (("by_phase", "phase"), ("by_kind", "kind"))
    }
    total = lines[["plan", "due", "actual", "spread", "left"]].sum().to_frame("all").T.assign(unknown=1)
    phases = {name: {"starts": "2020-11-01", "ends": "2020-12-31"} for name in ("preparation", "launch")}
    blank = {"campaigns": 2, "counted": 1, "spent": 170.0, "missing": ["launch.rewards"], "margin": None}
    found = blank | {"profit": None, "on_spend": None, "at_most": False} | returned
    return {"about": {"known": True, "phases": phases, "returned": found}, "lines": lines, "total": total, **sums}


def between(estimate: float) -> dict[str, float]:
    return {"estimate": estimate, "low": estimate - 50, "high": estimate + 50}


def test_what_was_spent_is_held_against_what_was_due(simulated: Study) -> None:
    study = steps(simulated, budget=money())
    text = budget.read_lines(study)
    assert "Of a budget of €380, €170 were spent until 3 February 2021" in text
    assert "(as far as it is known: rewards of the launch not), €20.00 more than was due by then" in text
    assert "Furthest from it is the preparation: €30.00 more" in text
    html = budget.lines(study).as_raw_html()
    assert "campaigns.contact_cost" in html
    assert "points handed in" not in html
    whole(text, budget.read_phases(study), budget.opening(study), budget.meeting(study), budget.limits(study))


def test_the_return_stops_where_knowledge_does(simulated: Study) -> None:
    none = budget.read_return(steps(simulated, budget=money(campaigns=0, counted=0)))
    assert none == "What it brought cannot be told: no campaign began within the budget's days."
    lost = budget.read_return(steps(simulated, budget=money()))
    assert "of the 2 campaigns that began within the budget's days, no effect on sales" in lost
    margin = budget.read_return(steps(simulated, budget=money(margin=between(100.0))))
    assert "a margin of €100 after their discounts (90 % interval €50.00 to €150)" in margin
    assert "of 1 more that began in that time no effect is known" in margin
    assert margin.endswith("what was spent on rewards of the launch is not known.")
    whole(none, lost, margin)


@pytest.mark.parametrize(
    ("profit", "verdict"),
    [(-70.0, "the money has not come back"), (70.0, "it has paid"), (10.0, "whether it has paid is not clear")],
)
def test_whether_it_has_paid_is_said_with_its_error(simulated: Study, profit: float, verdict: str) -> None:
    made = money(margin=between(100.0), profit=between(profit), on_spend=between(0.5), missing=[])
    text = budget.read_return(steps(simulated, budget=made))
    assert verdict in text
    whole(text)


def test_a_discount_known_in_part_makes_the_return_an_upper_bound(simulated: Study) -> None:
    def said(profit: float) -> str:
        made = money(margin=between(100.0), profit=between(profit), on_spend=between(0.5), missing=[], at_most=True)
        return budget.read_return(steps(simulated, budget=made))

    text = said(70.0)
    assert "earned a margin of at most €100" in text
    assert "What some coupons took off is not known, and would come off too." in text
    assert "at most €70.00 is left" in text
    assert "at most €0.50 for each €1.00 spent" in text
    assert "whether it has paid is not clear" in text
    # Less than nothing is left even at most.
    assert "the money has not come back" in said(-70.0)
    whole(text, said(-70.0))


def test_the_budget_is_drawn_by_phase(simulated: Study) -> None:
    frame = budget.phases(steps(simulated, budget=money()))
    ax = figures.budget(frame.assign(actual=[130.0, np.nan]), "EUR")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Preparation", "Launch"]
    assert [text.get_text() for text in ax.texts] == ["not known"]
    assert figures.budget(frame.iloc[:0], "EUR").texts[0].get_text() == "no budget is set"


# Satisfaction


def answers(segments: dict[str, int], later: tuple[tuple[int, int], ...], low: float = 0.1) -> dict[str, Any]:
    rows = [("all", "all", sum(segments.values()), 20.0)]
    rows += [("segment", *each, score) for each, score in zip(segments.items(), (60.0, 0.0, -5.0), strict=False)]
    scores = pd.DataFrame(rows, columns=["by", "group", "answers", "nps"])
    scores = scores.assign(low=scores["nps"] - 10, high=scores["nps"] + 10)
    frame = pd.DataFrame(later, columns=["customers", "churned"], index=["promoters", "passives", "detractors"])
    share = frame["churned"] / frame["customers"]
    about = {
        "known": True, "refused": "", "within_days": 365, "note": "", "tiers": False, "origin": "2021-01-15",
        "until": "2021-02-04", "difference": {"estimate": 0.2, "low": low, "high": 0.3},
    }  # fmt: skip
    return {"about": about, "scores": scores, "later": frame.assign(share=share, low=share - 0.05, high=share + 0.05)}


MANY = ((100, 20), (80, 30), (60, 40))


def test_satisfaction_is_told_by_segment_with_its_error(simulated: Study) -> None:
    study = steps(simulated, satisfaction=answers({"Champions": 100, "Loyal": 90}, MANY))
    text = satisfaction.read_scores(study)
    assert "The net promoter score is +20 (90 % interval +10 to +30), from the last answers of 190 customers" in text
    assert "By segment most content: Champions (+60, +50 to +70); least: Loyal (0, −10 to +10)." in text
    assert "programme.tiers" in satisfaction.scores(study).as_raw_html()
    later = satisfaction.read_later(study)
    assert "promoters 20 % (90 % interval 15 to 25 %)" in later
    assert "Detractors left more often than promoters (by 20.0 points, 90 % interval +10.0 to +30.0)" in later
    assert "not what a better score would change" in later
    whole(text, later, satisfaction.opening(study), satisfaction.meeting(study), satisfaction.limits(study))


def test_a_difference_that_may_be_chance_is_called_so(simulated: Study) -> None:
    study = steps(simulated, satisfaction=answers({"Champions": 100}, MANY, low=-0.1))
    assert "Detractors did not clearly leave more often" in satisfaction.opening(study)


def test_few_answers_are_not_shown(simulated: Study) -> None:
    study = steps(simulated, satisfaction=answers({"Champions": 100, "Loyal": 4, "Slipping": 50}, MANY))
    frame = satisfaction.groups(study).set_index("group")
    assert frame["nps"].notna().to_dict() == {"all": True, "Champions": True, "Loyal": False, "Slipping": False}
    ax = figures.satisfaction(satisfaction.groups(study), "simulated data")
    assert [text.get_text() for text in ax.texts] == ["not shown", "not shown"]
    assert ax.get_title(loc="left").endswith("(simulated data)")
    assert "hidden" in satisfaction.scores(study).as_raw_html()
    nobody = answers({"Champions": 4}, MANY)
    assert not satisfaction.has_survey(steps(simulated, satisfaction=nobody))


def test_few_who_left_are_not_shown(simulated: Study) -> None:
    study = steps(simulated, satisfaction=answers({"Champions": 100}, ((100, 4), (80, 30), (60, 40))))
    assert satisfaction.later(study)["share"].notna().to_dict() == {
        "promoters": False,
        "passives": True,
        "detractors": True,
    }
    assert "20.0 points" not in satisfaction.read_later(study)
    assert "Too few active customers had answered before" in satisfaction.opening(study)
    assert [text.get_text() for text in figures.later_churn(satisfaction.later(study)).texts] == ["not shown"]
