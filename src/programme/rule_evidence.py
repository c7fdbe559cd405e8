"""Which campaigns tell what a rule's action changes: those with its name, and those that it names itself."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..action_rules import ActionRule
from ..errors import SettingsError
from .effect import Effect, Interval
from .rules import rule_of

TOLD = 40
"""Names that a message lists."""


Types = Mapping[str, str | None]
"""Of all campaigns that have begun: name → type, None where it is not known."""


def types_of(campaigns: pd.DataFrame | None) -> dict[str, str | None]:
    """Campaigns and their types.

    Parameters
    ----------
    campaigns : index campaign, and type where it is known; see `campaigns.measured`. None where there are none.
    """
    if campaigns is None:
        return {}
    kinds = campaigns["type"] if "type" in campaigns else pd.Series(None, campaigns.index, dtype="object")
    return {str(name): None if pd.isna(kind) else str(kind) for name, kind in kinds.items()}


def tells_of(campaign: str, rule: ActionRule, types: Types) -> bool:
    """Whether the effect of a campaign is evidence on a rule.

    A rule's own campaigns have its name, with or without a date; `rule.evidence` names others, or types of them.

    Examples
    --------
    >>> from loyalty.programme.default_rules import DEFAULTS
    >>> rule = DEFAULTS[0].model_copy(update={"evidence": ("phone",)})
    >>> [tells_of(name, rule, {"12": "phone", "13": "letter"}) for name in ("call 2026-03-02", "12", "13")]
    [True, True, False]
    """
    return rule_of(campaign) == rule.name or campaign in rule.evidence or types.get(campaign) in rule.evidence


def check_named(rules: Iterable[ActionRule], types: Types) -> None:
    """Whether the campaigns and types that rules name as evidence are there.

    Raises
    ------
    SettingsError
        Naming each rule, what it names that is not there, and what is.
    """
    kinds = sorted({kind for kind in types.values() if kind is not None})
    there = {*types, *kinds}
    problems = []
    for rule in rules:
        for name in rule.evidence:
            if name not in there:
                known = [f"the campaigns {_listed(name, types)}"] if types else ["no campaign that has begun"]
                known += [f"the types {_listed(name, kinds)}"] if kinds else []
                problems.append(
                    f"actions.rules: evidence of {rule.name!r}: expected a campaign that has begun or a type of them, "
                    f"found {name!r}; there {'are' if types else 'is'} {'; '.join(known)}"
                )
    if problems:
        raise SettingsError("; ".join(problems), problems)


def measured(effects: Mapping[str, Any], rules: Iterable[ActionRule], types: Types) -> dict[str, Effect]:
    """What campaigns of the rules changed in spend, by rule: several are weighted by their precision.

    Campaigns that held customers out come first. Only where none of a rule's did, and the rule names its evidence,
    effects on chosen customers count, as far as they are identified. A campaign that is not over counts for nothing.

    Parameters
    ----------
    effects : see `effects.effects`.
    """
    found = {}
    for rule in rules:
        each = _drawn(effects, rule, types) or _observed(effects, rule, types)
        if each:
            found[rule.name] = pooled(each)
    return found


def unproved(rules: Iterable[ActionRule], found: Mapping[str, Effect]) -> list[str]:
    """Rules that name evidence which tells no effect, so that an assumed one is counted with."""
    return [rule.name for rule in rules if rule.evidence and rule.name not in found]


def pooled(each: Sequence[Effect]) -> Effect:
    """One effect of several that are independent, weighted by their precision."""
    weight = np.array([effect.standard_error**-2.0 for effect in each])
    estimate = float(weight @ [effect.found.estimate for effect in each] / weight.sum())
    error = float(weight.sum() ** -0.5)
    return replace(each[0], found=Interval.around(estimate, error), standard_error=error)


def _drawn(effects: Mapping[str, Any], rule: ActionRule, types: Types) -> list[Effect]:
    over = [each for each in effects["randomised"] if not each["running"] and "spend" in each["effects"]]
    return _usable(each["effects"]["spend"] for each in over if tells_of(each["campaign"], rule, types))


def _observed(effects: Mapping[str, Any], rule: ActionRule, types: Types) -> list[Effect]:
    """Effects on chosen customers: of a type as a whole, not of its campaigns again."""
    kinds = [name for name in rule.evidence if name in set(types.values())]
    single = {f"Campaign {name}" for name in rule.evidence if name in types and types[name] not in kinds}
    return _usable(
        each["observed"]["effect"]
        for each in effects["observed"]
        if (each["kind"] == "type" and each["name"] in kinds) or (each["kind"] == "campaign" and each["name"] in single)
    )


def _usable(said: Iterable[Mapping[str, Any]]) -> list[Effect]:
    each = [Effect.from_dict(one) for one in said]
    return [effect for effect in each if effect.identified and effect.standard_error > 0]


def _listed(name: str, there: Iterable[str]) -> str:
    """What there is, the most alike first."""

    def unlike(other: str) -> float:
        return -difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio()

    near = sorted(there, key=unlike)
    rest = len(near) - TOLD
    return ", ".join(near[:TOLD]) + (f" and {rest} more" if rest > 0 else "")
