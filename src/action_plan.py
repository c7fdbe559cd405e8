"""Who gets which action, customer by customer: what the step on actions sums up, and what the export writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from .action_rules import Actions
from .errors import RefusedError, SettingsError
from .features.companions import count
from .features.windows import in_last_days
from .gains import single_effects
from .programme.allocation import Allocation, Limits, allocate
from .programme.consent import allowed
from .programme.effect import Effect
from .programme.rule_evidence import check_named, measured, types_of, unproved
from .programme.rule_values import SCORES, values
from .programme.rules import RuleSet, candidates, described, reach, rule_set
from .programme.targeting import Assumed, Measure, valued, with_effects

if TYPE_CHECKING:
    from .study import Study

SILENT = "Silent for a year"
"""Segment of customers whom the segments of the last year do not know."""
STAGES = ("rules", "cool-down", "most contacts", "consent")
"""Through which customers pass, in this order, before an action is chosen: the conditions of the rules, the cool-down
of each, the most contacts of a customer, and consent to the channel."""
MOST_ACTIONS = 10_000_000
"""Actions at hand that are brought here, each a customer and a rule: to choose under a budget all must be in one place.
"""
OF_CUSTOMERS = ("customer", "rule", "channel", "segment", "state", "usual_order", "churn_probability")
MEASURES: dict[str, Measure] = {"purchase": "buying", "spend": "spend"}


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    known : see `rule_values.values`, of everyone who has bought.
    rules : that were applied, and those left out.
    everyone : customers who have bought.
    passed : one row a stage of `STAGES`: stage, customers and actions that are left after it.
    reached : customers of each rule that are left after each stage; index rule (all, in their order), columns `STAGES`.
    values : of the actions that passed, see `targeting.valued`; with state. Of several that are worth and cost a
        customer the same by the same channel only that of the highest priority.
    offered : customer and rule, of all actions that passed, also of equal ones.
    allocation, limits : what was chosen, and what it keeps to.
    single : rules that count with an effect of each customer's own, see `gains.single_effects`.
    unproved : rules that name campaigns as evidence, of which none tells an effect.
    """

    known: ir.Table
    rules: RuleSet
    everyone: int
    passed: pd.DataFrame
    reached: pd.DataFrame
    values: pd.DataFrame
    offered: pd.DataFrame
    allocation: Allocation
    limits: Limits
    single: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()

    @property
    def described(self) -> pd.DataFrame:
        """See `programme.rules.described`."""
        return described(self.rules.rules)

    @property
    def risk(self) -> pd.Series | None:
        """Probability of leaving, index customer; None where nobody is scored."""
        if "churn_probability" not in self.values:
            return None
        return self.values.drop_duplicates("customer").set_index("customer")["churn_probability"]


def planned(study: Study) -> Plan:
    """Choose an action for each customer for whom one pays, with the limits of the dataset file.

    Raises
    ------
    SettingsError
        If rules look at columns that the dataset lacks or name campaigns as evidence that there are not, or a channel
        that is limited is that of no rule.
    DataError
        If the minimum per segment cannot be reached.
    RefusedError
        If there are more than `MOST_ACTIONS` to choose from.
    """
    actions = study.dataset.actions
    known = values(
        study.data.tables, study.known_until, programme=study.dataset.programme, offers=actions.offers,
        scores=scored(study),
    ).cache()  # fmt: skip
    rules = rule_set(actions, known, study.as_of)
    types = types_of(study.campaigns().get("campaign"))
    check_named(rules.rules, types)
    found = measured(study.effects(), rules.rules, types)
    passed, reached, rows = _passed(study, known, rules)
    whole = _valued(study, rows, rules, found)
    each = _without_equals(whole, rules)
    limits = _limits(actions, rules)
    offered = whole[["customer", "rule"]]
    single = tuple(rule.name for rule in rules.rules if rule.name in {one["rule"] for one in study.effects()["single"]})
    return Plan(
        known, rules, count(known), passed, reached, each, offered, allocate(each, limits), limits, single,
        tuple(unproved(rules.rules, found)),
    )  # fmt: skip


def _limits(actions: Actions, rules: RuleSet) -> Limits:
    """What the dataset file sets."""
    channels = {rule.channel for rule in rules.rules} | {rule.channel for rule in actions.rules}
    if unknown := [name for name in actions.most_by_channel if name not in channels]:
        raise SettingsError(
            f"actions.most_by_channel: expected channels of rules, found {', '.join(map(repr, unknown))}; rules have "
            f"{', '.join(sorted(channels))}"
        )
    budget = np.inf if actions.budget is None else actions.budget
    return Limits(budget, contacts=dict(actions.most_by_channel), least=dict(actions.minimum_per_segment))


def scored(study: Study) -> pd.DataFrame | ir.Table:
    """Scores of everyone who can leave: those that the report has, computed anew where it has a sample only."""
    churn = study.churn()
    told: pd.DataFrame = churn["scores"]
    if len(told) < churn["about"]["asked"]:
        from . import scores

        return scores.everyone(study).select("customer", *SCORES)
    return told[list(SCORES)].rename_axis("customer").reset_index()


def suppressed(study: Study) -> set[str]:
    """Customers of the file `actions.suppress`, who get nothing by any channel.

    Raises
    ------
    SettingsError
        If the file is not there or cannot be read.
    """
    name = study.dataset.actions.suppress
    if name is None:
        return set()
    file = study.root / name
    try:
        rows = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"actions.suppress: expected a CSV file, found none at {name}") from None
    except (ValueError, OSError) as error:
        raise SettingsError(f"actions.suppress: {name} cannot be read as CSV: {error}") from None
    if "customer" not in rows:
        raise SettingsError(
            f"actions.suppress: {name}: expected a column customer, found {', '.join(map(str, rows.columns)) or 'none'}"
        )
    return set(rows["customer"].str.strip())


def _passed(study: Study, known: ir.Table, rules: RuleSet) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """How many customers each stage of `STAGES` leaves, in all and of each rule, and the rows of those who are left."""
    actions, offers = study.dataset.actions, study.data.offers
    drawn = None if offers is None else offers.drawn
    channels = {rule.name: rule.channel for rule in rules.rules}

    def with_channel(table: ir.Table) -> ir.Table:
        told = [(table.rule == name, channel) for name, channel in channels.items()]
        return table.mutate(channel=ibis.cases(*told, else_="") if told else ibis.literal(""))

    met = candidates(known, rules.rules)
    rested = candidates(known, rules.rules, drawn, study.as_of)
    free = rested
    if study.data.tables.contacts is not None:
        made = study.data.tables.contacts
        recent = made.filter(in_last_days(made.day, study.as_of, actions.period_days))
        each = recent.group_by("customer").agg(contacts=recent.count())
        free = rested.anti_join(each.filter(each.contacts >= actions.most_contacts), "customer")
    agreed = allowed(
        with_channel(free), study.data.consent, actions.purpose, sorted(set(channels.values())), study.as_of
    )
    stages = dict(zip(STAGES, (met, rested, free, agreed), strict=True))
    counts = [count(table.select("customer").distinct()) for table in stages.values()]
    of_rules = pd.DataFrame({stage: reach(table, rules.rules)["customers"] for stage, table in stages.items()})
    counted = pd.DataFrame({"stage": STAGES, "customers": counts, "actions": of_rules.sum().to_numpy("int64")})
    _check_few_enough(counted.iloc[-1])
    rows = agreed.select([name for name in OF_CUSTOMERS if name in agreed.columns]).to_pandas()
    return counted, of_rules, rows.sort_values(["customer", "rule"], ignore_index=True)


def _check_few_enough(left: pd.Series) -> None:
    """Whether as many actions can be brought here; counted by the engine, before any comes."""
    if left["actions"] > MOST_ACTIONS:
        raise RefusedError(
            f"actions: the {left['actions']:,} actions at hand of {left['customers']:,} customers are more than the "
            f"{MOST_ACTIONS:,} that are chosen from at once; make the conditions of the rules (actions.rules) narrower"
        )


def _valued(study: Study, rows: pd.DataFrame, rules: RuleSet, found: dict[str, Effect]) -> pd.DataFrame:
    """What each action is worth for each customer: see `targeting`.

    `found` is what campaigns of the rules changed. One more purchase is worth the margin on the usual one. Whoever buys
    anyway takes the reward; of those who are not scored, as likely as the others on average: they buy less, so that
    what they cost is not told too low.
    """
    said, margin = described(rules.rules), study.dataset.study.margin
    assumed = {
        rule.name: Assumed(MEASURES[rule.assumed.of], rule.assumed.low, rule.assumed.high)
        for rule in rules.rules
        if rule.assumed
    }
    single = single_effects(study, study.effects()["single"])
    rows = rows.assign(segment=rows["segment"].fillna(SILENT), usual_order=rows["usual_order"].fillna(0.0))
    if rows.empty:
        filled = rows.assign(measure="", design="", effect=0.0, low=0.0, high=0.0)
    else:
        measures: dict[str, Measure] = dict.fromkeys(found, "spend")
        filled = with_effects(rows, single=single, averages=found, measures=measures, assumed=assumed)
    buying = filled["measure"] == "buying"
    usual = filled["usual_order"].to_numpy("float64")
    terms = filled[["rule"]].join(said[["cost", "reward", "reward_share"]].astype("float64"), on="rule")
    buys = _buys_anyway(study, filled)
    taken = buys.fillna(buys.mean()).fillna(1.0) + np.where(buying, filled["effect"], 0.0)
    filled = filled.assign(
        worth=np.where(buying, margin * usual, margin),
        contact=terms["cost"],
        reward=terms["reward"] + terms["reward_share"] * usual,
        redemption=np.where(terms[["reward", "reward_share"]].any(axis=1), taken.clip(0.0, 1.0), 0.0),
        **({"buys_anyway": buys} if buys.notna().any() else {}),
    )
    return valued(filled)


def _buys_anyway(study: Study, rows: pd.DataFrame) -> pd.Series:
    """Probability of buying without an action; not a number where leaving is something else than silence."""
    if not study.by_silence or "churn_probability" not in rows:
        return pd.Series(np.nan, rows.index)
    return 1.0 - rows["churn_probability"].astype("float64")


def _without_equals(rows: pd.DataFrame, rules: RuleSet) -> pd.DataFrame:
    """Of actions between which only priority decides, the first: rules come in its order."""
    order = {rule.name: place for place, rule in enumerate(rules.rules)}
    ranked = rows.assign(place=rows["rule"].map(order), cents=rows["value"].round(6)).sort_values(
        "place", kind="stable"
    )
    kept = ranked.drop_duplicates(["customer", "channel", "cents", "cost"]).drop(columns=["place", "cents"])
    return kept.sort_values(["customer", "rule"], ignore_index=True)
