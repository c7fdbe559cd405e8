"""Chapter 6 in short: the answer at its top, where it fails, and what to say in the meeting. Its parts lie beside it."""

from ...study import Study
from . import budget, goals, high_value, points, points_rules, points_worth, satisfaction, tier_numbers, tiers
from .points_numbers import about


def is_assumed(study: Study) -> bool:
    """Whether any part of the programme on this page is assumed, since the dataset file names none."""
    return bool(tier_numbers.about(study).get("assumed")) or bool(about(study)["assumed"])


def opening(study: Study) -> str:
    """The answer of the page, a paragraph a part: goals and budget where they are set, customers, tiers, points."""
    parts = [high_value.opening(study), tiers.opening(study), points.opening(study)]
    if budget.has_budget(study):
        parts.insert(0, budget.opening(study))
    if goals.has_goals(study):
        parts.insert(0, goals.opening(study))
    return "\n\n".join(parts)


def warning(study: Study) -> str:
    """What is simulated on this page, and what is not."""
    return (
        f"**{study.dataset.title} names no such programme.** What this page shows of tiers or points under the note *simulated programme* is an assumed one, "
        "replayed on the real purchases under the rules that are printed there. Nobody was ever promised it, and nobody bought because of it. "
        "It shows what the page would say, and what such rules would have cost. Write your own rules under `[programme]` in the dataset file."
    )


def limits(study: Study) -> str:
    """Where this chapter fails, part by part."""
    parts = [high_value.limits(study), tiers.limits(study), points_rules.limits(study)]
    if goals.has_goals(study):
        parts.append(goals.limits(study))
    if budget.has_budget(study):
        parts.append(budget.limits(study))
    if satisfaction.has_survey(study):
        parts.append(satisfaction.limits(study))
    return "\n\n".join(parts)


def meeting(study: Study) -> str:
    """What to say in the meeting: of the goals where there are any, and of who carries the spend."""
    parts = [goals.meeting(study)] if goals.has_goals(study) else []
    parts.append(high_value.meeting(study))
    if not about(study)["assumed"]:
        parts.append(points_worth.meeting(study))
    return " ".join(parts)
