"""Chapter 6: goals with a date. Where they are, where they should be and where they are going."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import marks, tables, words
from ..goal_figures import Panel
from .goal_numbers import chance, last_day, measured, now, period_days, rows_of, told, writer

WANTED = (
    "It takes a goal with a date: a section such as `[goals.churn]` in the dataset file, with `starts`, `deadline` and `target` (or `change`). "
    "A goal may be of repurchase, churn, order_value, redemption, members or nps."
)
VERDICTS = {
    "reached": "was reached",
    "missed": "was missed",
    "not known": "cannot be judged",
    "not begun": "has not begun",
    "ahead": "is ahead of its path",
    "behind": "is behind its path",
}
NAMES = {"share": "share", "money": "money", "count": "customers", "points": "points from −100 to 100"}


def has_goals(study: Study | None) -> bool:
    """Whether there is a goal with a date of which something can be told."""
    return study is not None and bool(told(study))


# The answer


def opening(study: Study) -> str:
    """Which goals are ahead, which behind, and which will arrive."""
    goals = told(study)
    if not goals:
        return f"Whether goals are reached cannot be told. {missing(study)}"
    parts = []
    for verdict, what in VERDICTS.items():
        names = [goal["label"].lower() for goal in goals.values() if goal["verdict"] == verdict]
        if names:
            plural = (
                what.replace("is ", "are ", 1)
                .replace("was ", "were ", 1)
                .replace("has ", "have ", 1)
                .replace("its", "their")
            )
            parts.append(f"{words.listed(names)} {what if len(names) == 1 else plural}")
    number = f"Of {len(goals)} goals with a date" if len(goals) > 1 else "Of the one goal with a date"
    return f"{number}, {'; '.join(parts)}. {_arrival(goals)}".strip()


def _arrival(goals: dict[str, dict[str, Any]]) -> str:
    """The goal that is least likely to arrive."""
    open_ = [goal for goal in goals.values() if goal["probability"] is not None and goal["model"]]
    if not open_:
        return ""
    least = min(open_, key=lambda goal: goal["probability"])
    many = "Least likely to arrive" if len(open_) > 1 else "To arrive"
    return f"{many} is {least['label'].lower()}: {chance(least['probability'])} by {words.day(least['deadline'])}, if all goes on as it has."


def missing(study: Study) -> str:
    """Goals of which nothing can be told, and why; what to write where there is none."""
    found = study.goal_progress()["about"]["goals"]
    if not found:
        return WANTED
    rest = {measure: goal for measure, goal in found.items() if measure not in told(study)}
    lines = [
        f"- Of {goal['label'].lower()} nothing can be told: {words.told(goal['refused']) or 'too few customers are behind it'}."
        for goal in rest.values()
    ]
    return "\n".join(lines) or "Nothing is missing: every goal with a date is told."


# Where they are


def overview(study: Study) -> GT:
    """Each goal with where it is, where it should be and where it is going, as a table."""
    rows = [_row(study, measure, goal) for measure, goal in told(study).items()]
    return tables.table(
        pd.DataFrame(rows),
        title="Goals with a date",
        columns={
            "label": "Goal",
            "start": "Start",
            "now": "Now (90 %)",
            "path": "Path now",
            "target": "Target",
            "last": "Expected then (90 %)",
            "chance": "Chance to arrive",
            "verdict": "Verdict",
        },
        notes=definitions(study),
    )


def _row(study: Study, measure: str, goal: dict[str, Any]) -> dict[str, str]:
    write, last, rows = writer(study, goal), goal["at_deadline"], measured(study, measure)
    return {
        "label": goal["label"],
        "start": f"{write(goal['start'])} on {_short(goal['starts'])}",
        "now": now(study, measure, goal).replace("90 % interval ", "") if len(rows) else words.NOTHING,
        "path": write(rows["target"].iloc[-1]) if len(rows) else words.NOTHING,
        "target": f"{write(goal['target'])} by {_short(goal['deadline'])}",
        "last": f"{write(last['estimate'])} ({words.between(last['low'], last['high'], write)})"
        if last
        else words.NOTHING,
        "chance": chance(goal["probability"]) if last else words.NOTHING,
        "verdict": goal["verdict"],
    }


def _short(day: str) -> str:
    """A date that is not broken over two lines."""
    return tables.write(date.fromisoformat(day), "date").replace(" ", "\N{NO-BREAK SPACE}")


def definitions(study: Study) -> list[str]:
    """How each goal is measured."""
    return [f"**{goal['label']}**: {goal['definition']}" for goal in told(study).values()]


def read_overview(study: Study) -> str:
    """Each goal in one or two sentences."""
    return "\n".join(f"- {_read(study, measure, goal)}" for measure, goal in told(study).items())


def _read(study: Study, measure: str, goal: dict[str, Any]) -> str:
    write, rows = writer(study, goal), measured(study, measure)
    if rows.empty:
        return f"**{goal['label']}** {VERDICTS[goal['verdict']]}: no whole period of {words.days(period_days(study))} is known."
    row = rows.iloc[-1]
    first = f"**{goal['label']}** was {now(study, measure, goal)} in the {words.days(period_days(study))} to {last_day(row['end'])}"
    if measure == "members":
        first = f"**{goal['label']}** were {now(study, measure, goal)} on {last_day(row['end'])}"
    if goal["verdict"] in ("ahead", "behind"):
        by_chance = row["low"] <= row["target"] <= row["high"] and row["low"] < row["high"]
        first += f"; its path asks for {write(row['target'])}: {goal['verdict']}{', which chance may explain' if by_chance else ''}"
    else:
        first += (
            f"; the goal {VERDICTS[goal['verdict']]} (target {write(goal['target'])} by {words.day(goal['deadline'])})"
        )
    rest = [words.told(each) for each in goal["notes"] if "Seasons" not in each]
    return " ".join([f"{first}.", *([_expected(write, goal)] if goal["at_deadline"] else []), *rest])


def _expected(write: Callable[[float], str], goal: dict[str, Any]) -> str:
    last = goal["at_deadline"]
    return (
        f"Expected by {words.day(goal['deadline'])}: {write(last['estimate'])} (90 % interval {words.between(last['low'], last['high'], write)}); "
        f"the chance to be at {write(goal['target'])} or better is {chance(goal['probability'])}."
    )


def panels(study: Study) -> list[Panel]:
    """Goals as `goal_figures.paths` draws them."""
    found = []
    for measure, goal in told(study).items():
        stages = rows_of(study, "stages", measure)
        days = [goal["starts"], *stages.get("by", []), goal["deadline"]]
        targets = [goal["start"], *stages.get("target", []), goal["target"]]
        path = pd.DataFrame({"day": pd.to_datetime(days), "target": targets})
        unit = study.dataset.currency if goal["unit"] == "money" else NAMES[goal["unit"]]
        title = f"{goal['label']} ({unit}, periods of {words.days(period_days(study))})"
        rows = measured(study, measure)
        found.append(Panel(title, goal["unit"], rows, path, rows_of(study, "forecast", measure) if len(rows) else rows))
    return found


def read_panels(study: Study) -> str:
    """How the fan is made."""
    models = {goal["label"].lower(): goal["model"] for goal in told(study).values() if goal["model"]}
    if not models:
        return f"Forecast: none of {words.count(len(told(study)))} goals, which are over or of which too few periods are known.{_marked(study)}"
    said = "; ".join(
        f"{words.listed(name for name, model in models.items() if model == each)}: {each}"
        for each in dict.fromkeys(models.values())
    )
    return (
        f"Forecast: {words.count(len(models))} of {words.count(len(told(study)))} goals. How each goes on — {said} — was chosen by what it would have said of earlier periods. "
        f"The band holds nine in ten outcomes, if the future is like the past; what you are about to change is not in it.{_marked(study)}"
    )


def _marked(study: Study) -> str:
    """What is marked between the first and the last day that a panel shows, in a sentence."""
    drawn = panels(study)
    if not drawn:
        return ""
    days = pd.concat([part for each in drawn for part in (each.path["day"], each.actual["end"])])
    return marks.read(study.events(), days.min(), days.max())


# The end


def limits(study: Study) -> str:
    """Where this fails."""
    if not told(study):
        return "Without goals with a date nothing on this page says whether the programme is where you want it to be."
    return (
        "A forecast of few periods is wide, and knows neither seasons nor what you are about to do. "
        "That a goal is reached does not say that the programme did it."
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    goals = told(study)
    if not goals:
        return "We have set ourselves no goal with a date: let us write one down, with its measure and its deadline."
    behind = [goal["label"].lower() for goal in goals.values() if goal["verdict"] in ("behind", "missed")]
    first = f"We are behind on {words.listed(behind)}" if behind else "None of our goals is behind its path"
    return f"{first}. {_arrival(goals)}".strip()
