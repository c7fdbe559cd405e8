"""The step of a study that says who gets which action, at what cost, who is left alone, and what all that rests on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .action_plan import STAGES, Plan
from .errors import DataError
from .programme import design
from .programme.allocation import allocate
from .programme.drawing import HoldOut, sized
from .programme.moments import moves, sizes
from .programme.recommend import Contest, contest
from .programme.regret import by_reason, left_alone, regret
from .programme.rules import campaign
from .programme.targeting import evidence
from .programme.value_curve import by_budget

if TYPE_CHECKING:
    from .study import Study

CONTEST_CUSTOMERS = 5_000
"""Whom the methods for the next category learn from and are judged on."""
CONTEST_DATES = 3
NO_RULE = "no rule is for them"
UNREACHED = {"cool-down": "in a cool-down", "most contacts": "contacted lately", "consent": "no consent"}
"""Why a customer with a rule gets no action, by the stage that stops all of them."""
BY = ("rule", "channel", "segment", "state")
FRAMES = (
    "states", "moves", "rules", "left_out", "passed", *(f"by_{name}" for name in BY), "alone", "alone_by_segment",
    "regret", "halved", "curve", "evidence", "holdouts", "contest", "contest_dates",
)  # fmt: skip


def actions(study: Study) -> dict[str, Any]:
    """What is to be done at the as-of date, in sums; no row is of a single customer unless a count says so.

    Returns
    -------
    about : refused (why nothing was chosen, "" where something was), as_of and known_until (ISO), currency,
        horizon_days, customers (who have bought), scored (of those with an action at hand), default_rules, consent
        (whether it is recorded), contacts (whether they are), limits (budget, None where there is none; most_contacts,
        period_days, most_by_channel, minimum_per_segment, hold_out, purpose), assumed (whether an effect that is
        counted with is), single (rules that count with an effect of each customer's own), unproved (rules that name
        campaigns as evidence, of which none tells an effect), moved_from (ISO, see moves), allocation (see
        `Allocation.to_dict`; of all chosen, those who will be held out too), item (level, winner, novel_winner, notes:
        see `recommend.Contest`).
    states : see `moments.sizes`; state is a column.
    moves : before, after, customers; between one horizon before `known_until` and it.
    rules : rule, when, channel, kind, offer, version, cost, reward, reward_share, priority, assumed_of,
        assumed_low, assumed_high (see `rules.described`); met (customers who meet its
        condition), of these rested (who are in no cool-down), free (not contacted too often) and offered (who agreed to
        the channel); of those offered, other (who get another action) and nothing (who get none), and customers (for
        whom it was chosen) with their spent, value, low, high (money).
    left_out : rule, reason.
    passed : see `action_plan.Plan`.
    by_rule, by_channel, by_segment, by_state : of the chosen: the name, customers, spent, value, low, high.
    alone : reason, customers, value (of the best actions; not a number where none is known); with those chosen, they
        are all customers.
    alone_by_segment : segment, reason, customers; of those with an action at hand.
    regret : see `programme.regret.regret`.
    halved : the same with half the money that is spent, where no budget is felt: then the order of customers counts.
    curve : see `programme.value_curve.by_budget`.
    evidence : see `programme.targeting.evidence`.
    holdouts : rule, and the columns of `drawing.HoldOut`.
    contest, contest_dates : see `recommend.Contest`, its scores and origins.
    """
    nothing: dict[str, Any] = {name: pd.DataFrame() for name in FRAMES}
    about = _about(study)
    try:
        plan = study.plan
    except DataError as error:
        return nothing | {"about": about | {"refused": str(error)}}
    chosen = plan.allocation.chosen
    alone = left_alone(plan.values, chosen)
    held = holdouts(study, plan)
    item = next_item(study)
    return {
        "about": about | _of_plan(plan) | {"item": _plain(item)},
        "states": sizes(plan.known).reset_index(),
        "moves": _moves(study),
        "rules": _rules(plan),
        "left_out": pd.DataFrame(plan.rules.left_out, columns=["rule", "reason"]),
        "passed": plan.passed,
        **{f"by_{name}": summed(chosen, name) for name in BY},
        "alone": _alone(plan, alone),
        "alone_by_segment": alone.groupby(["segment", "reason"], as_index=False).agg(customers=("customer", "size")),
        "regret": regret(plan.values, plan.allocation, plan.limits, plan.risk),
        "halved": _halved(plan),
        "curve": by_budget(plan.values, plan.limits),
        "evidence": evidence(plan.values),
        "holdouts": pd.DataFrame([vars(each) | {"rule": rule} for rule, each in held.items()]),
        "contest": item.scores,
        "contest_dates": item.origins,
    }


def summed(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Chosen actions by a column, in its order: the column, customers, spent, value, low, high."""
    grouped = rows.groupby(name, as_index=False, sort=True)
    return grouped.agg(
        customers=("customer", "nunique"), spent=("cost", "sum"), value=("value", "sum"), low=("value_low", "sum"),
        high=("value_high", "sum"),
    )  # fmt: skip


def holdouts(study: Study, plan: Plan) -> dict[str, HoldOut]:
    """By rule, how many of its customers are held out, and what that will show.

    The share is that of the dataset file; where it says none, the least that shows the effect that pays for the action.
    """
    said = study.dataset.actions
    chosen = plan.allocation.chosen
    spread = _variation(study) if said.hold_out and len(chosen) else None
    told = {}
    for rule in plan.rules.rules:
        own = chosen[chosen["rule"] == rule.name]
        if own.empty:
            continue
        name = campaign(rule, study.as_of)
        if spread is None:
            why = "too short a log" if said.hold_out else "the dataset file asks for no hold-out"
            told[rule.name] = HoldOut(
                name, len(own), said.hold_out, np.nan, False, f"{said.hold_out:.0%} are held out: {why}."
            )
            continue
        pays = float(own["cost"].mean()) / study.dataset.study.margin
        asked = None if "hold_out" in said.model_fields_set or pays <= 0 else pays
        told[rule.name] = sized(name, len(own), spread, design.Plan(hold_out=said.hold_out), asked)
    return told


def next_item(study: Study) -> Contest:
    """Which method tells best what is bought next; by a bounded sample of the customers."""
    days = study.origins()[:CONTEST_DATES]
    return contest(study.data.tables, days, study.horizon_days, most_customers=CONTEST_CUSTOMERS)


def _variation(study: Study) -> design.Variation | None:
    """How customers differ in what they spend in a horizon; None where the log is too short to tell."""
    desk = study.campaigns()["about"]["desk"]
    return desk and design.Variation(**desk["variation"])


def _about(study: Study) -> dict[str, Any]:
    said = study.dataset.actions
    limits = said.model_dump(
        mode="json",
        include={
            "budget",
            "most_contacts",
            "period_days",
            "most_by_channel",
            "minimum_per_segment",
            "hold_out",
            "purpose",
        },
    )
    return {
        "refused": "",
        "as_of": study.as_of.isoformat(),
        "known_until": study.known_until.isoformat(),
        "currency": study.dataset.currency,
        "horizon_days": study.horizon_days,
        "consent": study.data.consent is not None,
        "contacts": study.data.tables.contacts is not None,
        "moved_from": study.origin(1).isoformat(),
        "limits": limits,
    }


def _of_plan(plan: Plan) -> dict[str, Any]:
    scored = 0 if plan.risk is None else int(plan.risk.notna().sum())
    return {
        "customers": plan.everyone,
        "scored": scored,
        "default_rules": plan.rules.default,
        "assumed": bool((plan.allocation.chosen["design"] == "assumed").any()),
        "single": list(plan.single),
        "unproved": list(plan.unproved),
        "allocation": plan.allocation.to_dict(),
    }


def _plain(item: Contest) -> dict[str, Any]:
    return {
        "level": item.level,
        "winner": item.winner,
        "novel_winner": item.novel_winner,
        "notes": list(item.notes),
    }


def _moves(study: Study) -> pd.DataFrame:
    """From state to state, one row a pair."""
    wide = moves(study.data.tables, study.origin(1), study.known_until)
    long = wide.rename_axis(index="before", columns="after").stack()
    return long.rename("customers").reset_index()


def _rules(plan: Plan) -> pd.DataFrame:
    """What each rule says, and what became of those who meet its condition."""
    said = plan.described
    said.insert(0, "when", [rule.when for rule in plan.rules.rules])
    stages = plan.reached.set_axis(["met", "rested", "free", "offered"], axis=1)
    done = summed(plan.allocation.chosen, "rule").set_index("rule")
    joined = said.join(stages).join(_instead(plan)).join(done)
    counts = dict.fromkeys([*stages.columns, "other", "nothing", "customers"], "int64")
    return joined.fillna(dict.fromkeys([*counts, *done.columns], 0)).astype(counts).reset_index()


def _instead(plan: Plan) -> pd.DataFrame:
    """Of those who could get an action, who get another one and who get none: index rule, other, nothing."""
    got = plan.allocation.chosen[["customer", "rule"]].rename(columns={"rule": "got"})
    each = plan.offered.merge(got, on="customer", how="left")
    told = each.assign(nothing=each["got"].isna(), other=each["got"].notna() & (each["got"] != each["rule"]))
    return told.groupby("rule")[["other", "nothing"]].sum()


def _halved(plan: Plan) -> pd.DataFrame:
    """What other rules would be worth with half the money; empty where the budget is felt, or nothing is spent."""
    if plan.allocation.budget_price > 0 or plan.allocation.cost <= 0:
        return pd.DataFrame()
    limits = replace(plan.limits, budget=plan.allocation.cost / 2)
    try:
        return regret(plan.values, allocate(plan.values, limits), limits, plan.risk)
    except DataError:  # half of it does not pay for the least numbers
        return pd.DataFrame()


def _alone(plan: Plan, alone: pd.DataFrame) -> pd.DataFrame:
    """Everyone who gets nothing, by reason."""
    left = plan.passed.set_index("stage")["customers"]
    rows = [{"reason": NO_RULE, "customers": plan.everyone - int(left["rules"])}]
    rows += [
        {"reason": UNREACHED[stage], "customers": int(left[earlier] - left[stage])}
        for earlier, stage in pairwise(STAGES)
    ]
    return pd.concat([by_reason(alone), pd.DataFrame(rows)], ignore_index=True)
