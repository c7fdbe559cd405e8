"""Steps of a study: how far goals are reached, what the budget was spent on, how content customers are."""

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pandas as pd

from .aims import Goal
from .effects import ACCOUNTS
from .errors import DataError
from .features.windows import last_days
from .programme import satisfaction as said
from .programme.budget import account, brought, totals
from .programme.goal_measures import LABELS, Measured, by_segment
from .programme.goals import Progress, progress
from .programme.ledger import UNITS
from .programme.points import movements
from .programme.profit_and_loss import ProfitAndLoss
from .programme.tier_rules import TierRules
from .programme.whole_programme import programme

if TYPE_CHECKING:
    from .study import Study

WITHIN_DAYS = 365
"""Days in which an answer to a survey counts."""
TIME = "Campaigns within the time of the budget"

FRAMES = ("actual", "stages", "forecast", "tested", "carriers")
"""Parts of `Progress` that are frames."""


# Goals with a date


def goals(study: "Study") -> dict[str, Any]:
    """How far each goal with a date is reached until `known_until`.

    Goals belong to the days of the dataset file, and are measured in those, whatever horizon the study has.

    Returns
    -------
    about : goals (measure → what `programme.goals.Progress` says beside its frames, dates as ISO strings; of a goal of
        which nothing can be told: label and refused, why), days (length of a period).
    actual, stages, forecast, tested, carriers : the frames of all goals, with a column `measure`.
    """
    file = study.dataset.study
    seen = Measured(
        study.data.tables, file.horizon_days, file.active_within_days, study.data.survey,
        study.dataset.programme.points,
    )  # fmt: skip
    told = {measure: _goal(study, measure, goal, seen) for measure, goal in study.dataset.goals.dated.items()}
    known = {measure: each for measure, each in told.items() if isinstance(each, Progress)}
    return {
        "about": {
            "goals": {measure: _plain(measure, each) for measure, each in told.items()},
            "days": file.horizon_days,
        },
        **{name: _stacked(known, name) for name in FRAMES},
    }


def _goal(study: "Study", measure: str, goal: Goal, seen: Measured) -> Progress | str:
    """How far it is reached, or why that cannot be told."""
    try:
        if measure == "nps" and seen.survey is not None:
            said.check(seen.survey, study.known_until)
        return progress(measure, goal, seen, study.known_until, study.first_day, by_segment(seen.tables))
    except DataError as error:
        return str(error)


def _plain(measure: str, each: Progress | str) -> dict[str, Any]:
    if isinstance(each, str):
        return {"label": LABELS[measure][0], "refused": each}
    rest = {name: value for name, value in vars(each).items() if name not in FRAMES}
    last = each.at_deadline
    return rest | {
        "starts": each.starts.isoformat(),
        "deadline": each.deadline.isoformat(),
        "carried": [day.isoformat() for day in each.carried],
        "at_deadline": last and asdict(last),
        "notes": list(each.notes),
        "refused": "",
    }


def _stacked(known: dict[str, Progress], name: str) -> pd.DataFrame:
    """One frame of all goals, with what was its index."""
    parts = []
    for measure, each in known.items():
        frame: pd.DataFrame = getattr(each, name)
        named = name in ("tested", "carriers") and len(frame)
        flat = frame.rename_axis("name").reset_index() if named else frame.reset_index(drop=True)
        days = [column for column in ("end", "by") if column in flat]
        parts.append(flat.assign(measure=measure, **{day: pd.to_datetime(flat[day]) for day in days}))
    full = [part for part in parts if len(part)]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=["measure"])


# The budget


def budget(study: "Study") -> dict[str, Any]:
    """What was spent of the budget until `known_until`, and what came of it.

    Where the dataset file does not say what was spent, contacts are counted at `campaigns.contact_cost` and points
    handed in at `programme.points.cost_per_point`, if `minimum_cell` customers or more are behind them.

    Returns
    -------
    about : known (whether there is a budget), phases (name → starts, ends; ISO), returned (see `_returned`; null
        without a budget).
    lines : see `programme.budget.account`, with `source` of the actual: `file`, `log`, or empty where it is not known.
    by_phase, by_kind, total : see `programme.budget.totals`.
    """
    asked = study.dataset.budget
    if not asked.phases:
        return {"about": {"known": False, "phases": {}, "returned": None}}
    measured = _measured(study)
    lines = account(asked, study.known_until, measured)
    told = {
        name: {"starts": each.starts.isoformat(), "ends": each.ends.isoformat()} for name, each in asked.phases.items()
    }
    sources = [_source(study, str(phase), str(kind), measured) for phase, kind in lines.index]
    return {
        "about": {"known": True, "phases": told, "returned": _returned(study, lines)},
        "lines": lines.assign(source=sources).reset_index(),
        "by_phase": totals(lines, "phase"),
        "by_kind": totals(lines, "kind"),
        "total": totals(lines),
    }


def _source(study: "Study", phase: str, kind: str, measured: dict[tuple[str, str], float]) -> str:
    if getattr(study.dataset.budget.phases[phase].actual, kind) is not None:
        return "file"
    return "log" if (phase, kind) in measured else ""


def _measured(study: "Study") -> dict[tuple[str, str], float]:
    """What the log tells of the spending on contacts and points, by phase and kind."""
    kinds = {"contacts": _contact_costs(study), "rewards": _point_costs(study)}
    found: dict[tuple[str, str], float] = {}
    for phase, asked in study.dataset.budget.phases.items():
        until = min(study.known_until, asked.ends + timedelta(days=1))
        for kind, costs in kinds.items():
            if costs is not None and asked.starts < until:
                money = _spent(study, last_days(costs, until, (until - asked.starts).days))
                found |= {} if money is None else {(phase, kind): money}
    return found


def _spent(study: "Study", costs: ir.Table) -> float | None:
    """Sum of costs; None where one is not known, or where few customers are behind them."""
    sums = costs.agg(
        customers=costs.customer.nunique(), money=costs.cost.sum().coalesce(0.0), unknown=costs.cost.isnull().sum()
    )
    (row,) = sums.to_pyarrow().to_pylist()
    few = 0 < row["customers"] < study.dataset.privacy.minimum_cell
    return None if few or row["unknown"] else float(row["money"])


def _contact_costs(study: "Study") -> ir.Table | None:
    """Customer, day and cost of each contact; None where no campaign says what one costs."""
    contacts, offers = study.data.tables.contacts, study.data.offers
    if contacts is None or offers is None:
        return None
    priced = contacts.join(offers.campaigns.select("campaign", "contact_cost"), "campaign")
    costs = priced.select("customer", "day", cost=priced.contact_cost)
    return costs if costs.cost.count().to_pyarrow().as_py() else None


def _point_costs(study: "Study") -> ir.Table | None:
    """Customer, day and cost of the points handed in; None where it is not known what one costs."""
    points, rules = study.data.tables.points, study.dataset.programme.points
    if points is None or rules is None or rules.cost_per_point is None:
        return None
    moved = movements(points, rules)
    spent = moved.filter((moved.kind == "redeem") & (moved.units < 0))
    return spent.select("customer", "day", cost=-spent.units * (rules.cost_per_point / UNITS))


def _returned(study: "Study", lines: pd.DataFrame) -> dict[str, Any]:
    """What the campaigns that began within the days of the budget brought for what was spent.

    Returns
    -------
    campaigns : how many began in that time.
    counted : how many of them the margin counts: those whose effect is identified.
    Beside them what `programme.budget.brought` returns, intervals as estimate, low, high.
    """
    names, accounts = _accounts(study)
    told = [(each, campaigns) for each, campaigns in accounts if each.identified]
    chosen = sum(each.what in _observed(study) for each, _ in told)
    earned = programme([each for each, _ in told], shared_controls=chosen > 1, what=TIME) if told else None
    counted = {name for _, campaigns in told for name in campaigns}
    return {"campaigns": len(names), "counted": len(counted)} | asdict(brought(lines, earned))


def _accounts(study: "Study") -> tuple[set[str], list[tuple[ProfitAndLoss, set[str]]]]:
    """Campaigns that began within the days of the budget, and accounts of no others, each with its campaigns."""
    if not study.campaigns()["about"]["known"]:
        return set(), []
    phases = study.dataset.budget.phases.values()
    first, last = min(each.starts for each in phases), max(each.ends for each in phases)
    starts = study.campaigns()["campaign"]["start"]
    names = {str(name) for name, day in starts.items() if first <= day.date() <= last}
    made = {f"Campaign {name}": {name} for name in names} | _observed(study)
    kept: list[tuple[ProfitAndLoss, set[str]]] = []
    told = [ProfitAndLoss.from_dict(each) for name in ACCOUNTS for each in study.effects()[name]]
    for each in told:
        campaigns = made.get(each.what, set())
        counted = {name for _, others in kept for name in others}
        # One campaign of a type counts by itself only where its type does not, as it reaches beyond the budget's days.
        if campaigns and campaigns <= names and not campaigns & counted:
            kept.append((each, campaigns))
    return names, kept


def _observed(study: "Study") -> dict[str, set[str]]:
    """Campaigns of each account of customers who were chosen."""
    return {each["name"]: set(map(str, each["compared"])) for each in study.effects()["observed"]}


# Satisfaction


def satisfaction(study: "Study") -> dict[str, Any]:
    """What customers answered until `known_until`, by tier and segment, and whether those who were not content left.

    Returns
    -------
    about : known (whether there are answers on a scale from 0 to 10), refused (why they cannot be read; empty if they
        can), within_days. Where they are known also rows, usable, customers, note (see `programme.satisfaction.check`),
        tiers (whether they are known), origin and until (ISO; of the horizon that later churn is seen in) and
        difference (share of detractors who left less that of promoters: estimate, low, high; or null).
    scores : by (`all`, `tier` or `segment`), group, and the columns of `programme.satisfaction.scores`; tiers from the
        lowest.
    later : see `programme.satisfaction.Later.by_loyalty`.
    """
    survey, day = study.data.survey, study.known_until
    about: dict[str, Any] = {"known": False, "refused": "", "within_days": WITHIN_DAYS}
    if survey is None:
        return {"about": about}
    try:
        answers = said.check(survey, day)
    except DataError as error:
        return {"about": about | {"refused": str(error)}}
    found = _scores(study, survey)
    origin = study.origin(1)
    later = said.later_churn(
        survey,
        study.data.tables,
        origin,
        horizon_days=study.horizon_days,
        active_within_days=study.active_within_days,
        within_days=WITHIN_DAYS,
    )
    more = {
        "known": not found.empty,
        "tiers": _rules(study) is not None,
        "origin": origin.isoformat(),
        "until": day.isoformat(),
        "difference": later.difference and asdict(later.difference),
    }
    return {"about": about | asdict(answers) | more, "scores": found, "later": later.by_loyalty}


def _rules(study: "Study") -> TierRules | None:
    """Rules of the tiers that are declared, if they can be replayed."""
    asked = study.dataset.programme
    if not asked.tiers:
        return None
    rules = TierRules.of(asked)
    return None if rules.by == "points" and study.data.tables.points is None else rules


def _scores(study: "Study", survey: ir.Table) -> pd.DataFrame:
    day, tables, rules = study.known_until, study.data.tables, _rules(study)
    found = {
        "all": said.scores(survey, day, WITHIN_DAYS),
        "segment": said.scores(survey, day, WITHIN_DAYS, said.by_segment(survey, tables, day)),
    }
    if rules is not None:
        by_tier = said.scores(survey, day, WITHIN_DAYS, said.by_tier(survey, tables, rules, day))
        found["tier"] = by_tier.rename(index=dict(enumerate(rules.levels)))
    parts = [part.reset_index().assign(by=by) for by, part in found.items() if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else found["all"].reset_index().assign(by="all")
