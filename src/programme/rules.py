"""Which customers each rule is for: all rules in one pass of the engine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import and_, eq, ge, gt, le, lt, ne, or_
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from ..action_rules import ActionRule, Actions
from ..errors import SettingsError
from ..features.windows import in_last_days, is_before
from .default_rules import DEFAULTS
from .rule_columns import COLUMNS
from .rule_tree import Among, And, Between, Comparison, Constant, Known, Named, Not, Operand, Or, Sign, Tree

SIGNS: dict[Sign, Any] = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "!=": ne}

DATED = r" \d{4}-\d{2}-\d{2}$"
"""The date in the name of a campaign."""


@dataclass(frozen=True)
class LeftOut:
    """A rule that is not applied.

    Attributes
    ----------
    rule : its name.
    reason : in words.
    """

    rule: str
    reason: str


@dataclass(frozen=True)
class RuleSet:
    """The rules of a date.

    Attributes
    ----------
    rules : that are applied, the highest priority first.
    left_out : those that are not.
    default : whether they are those of `default_rules`, since the dataset file has none.
    """

    rules: tuple[ActionRule, ...]
    left_out: tuple[LeftOut, ...]
    default: bool


def rule_set(actions: Actions, known: ir.Table, as_of: date) -> RuleSet:
    """The rules of a dataset file, or the default ones, that can be applied at a date.

    Left out are rules of another month and, of the default ones, those whose columns the dataset lacks.

    Parameters
    ----------
    actions : what the dataset file says.
    known : see `rule_values.values`.
    as_of : the day of the actions.

    Raises
    ------
    SettingsError
        If rules of the dataset file look at columns that the dataset lacks; all of them are told.
    """
    default = not actions.rules
    rules, kept, left, lacking = actions.rules or DEFAULTS, [], [], []
    for rule in sorted(rules, key=lambda rule: -rule.priority):
        missing = [name for name in rule.needs if name not in known.columns]
        if missing:
            needs = ", ".join(f"{name}, which needs {_lacking(name, known)}" for name in missing)
            left.append(LeftOut(rule.name, f"it looks at {needs}"))
            lacking.append(f"{rule.name!r} looks at {needs}")
        elif rule.months and as_of.month not in rule.months:
            left.append(LeftOut(rule.name, f"it applies in other months: {', '.join(map(str, sorted(rule.months)))}"))
        else:
            kept.append(rule)
    if lacking and not default:
        raise SettingsError(f"actions.rules: {'; '.join(lacking)}; add what is missing, or take the rule out")
    return RuleSet(tuple(kept), tuple(left), default)


def _lacking(name: str, known: ir.Table) -> str:
    """The keys that a column needs, less those that other columns show to be there."""
    there = {column.needs for other, column in COLUMNS.items() if other in known.columns}
    return " and ".join(key for key in COLUMNS[name].needs.split(" and ") if key not in there) or COLUMNS[name].needs


def candidates(
    known: ir.Table, rules: Sequence[ActionRule], contacts: ir.Table | None = None, as_of: date | None = None
) -> ir.Table:
    """Who may be offered what: one row a customer and rule whose condition is true.

    Parameters
    ----------
    known : see `rule_values.values`; without null customers.
    rules : see `rule_set`.
    contacts : customer, day, campaign, those held out too: a customer whom a rule reached, or held out, within its
        cool-down before `as_of` is left out of it. A campaign is a rule's if it has the rule's name, with or without
        a date, see `campaign`.
    as_of : the day of the actions; needed with contacts.

    Returns
    -------
    customer, rule (its name), and all columns of `known`
    """
    if not rules:
        return known.mutate(rule=ibis.literal("")).filter(ibis.literal(False)).relocate("customer", "rule")
    met = ibis.array(
        [expression(rule.condition, known).fill_null(False).ifelse(rule.name, ibis.null("string")) for rule in rules]
    )
    each = known.mutate(rule=met.unnest())
    found = each.filter(each.rule.notnull()).relocate("customer", "rule")
    if contacts is None or as_of is None:
        return found
    return found.anti_join(cooling(contacts, rules, as_of), ["customer", "rule"])


def cooling(contacts: ir.Table, rules: Sequence[ActionRule], as_of: date) -> ir.Table:
    """Customers whom a rule may not reach yet: customer, rule.

    With a cool-down of 30 days, who was contacted on 1 June can be reached again on 1 July.
    """
    undated = contacts.campaign.re_replace(DATED, "")
    contacts = contacts.mutate(rule=undated)
    recent = [
        (contacts.rule == rule.name) & in_last_days(contacts.day, as_of, rule.cool_down_days - 1)
        for rule in rules
        if rule.cool_down_days > 1
    ]
    never = ibis.literal(False)
    still = contacts.filter(_joined(or_, recent) if recent else never)
    still = still.filter(is_before(still.day, as_of))
    return still.select("customer", "rule").distinct()


def campaign(rule: ActionRule, as_of: date) -> str:
    """What a rule's contacts of one date are called: every run draws anew who is held out.

    Examples
    --------
    >>> from loyalty.programme.default_rules import DEFAULTS
    >>> campaign(DEFAULTS[0], date(2026, 3, 2))
    'call 2026-03-02'
    """
    return f"{rule.name} {as_of:%Y-%m-%d}"


def rule_of(campaign: str) -> str:
    """The rule whose contacts a campaign holds, by its name with or without a date; see `campaign`.

    Examples
    --------
    >>> rule_of("call 2026-03-02"), rule_of("call")
    ('call', 'call')
    """
    return re.sub(DATED, "", campaign)


def described(rules: Sequence[ActionRule]) -> pd.DataFrame:
    """What the rules say.

    Returns
    -------
    One row each, index rule: channel, offer, kind, cost, reward, reward_share, priority, version, assumed_of (spend or
    purchase; null where no effect is assumed), assumed_low, assumed_high
    """
    rows = [
        {
            **rule.model_dump(include={"channel", "offer", "kind", "cost", "reward", "reward_share", "priority"}),
            "version": rule.version,
            "assumed_of": rule.assumed.of if rule.assumed else None,
            "assumed_low": rule.assumed.low if rule.assumed else None,
            "assumed_high": rule.assumed.high if rule.assumed else None,
        }
        for rule in rules
    ]
    index = pd.Index([rule.name for rule in rules], name="rule", dtype="str")
    return pd.DataFrame(rows, index=index)


def reach(found: ir.Table, rules: Sequence[ActionRule]) -> pd.DataFrame:
    """How many customers each rule is for: index rule (all, in their order), customers."""
    counted = found.group_by("rule").agg(customers=found.customer.nunique()).to_pandas().set_index("rule")
    return counted.reindex([rule.name for rule in rules], fill_value=0)


def expression(tree: Tree, table: ir.Table) -> ir.BooleanValue:
    """A condition as a column: true, false, or null where it is unknown (Kleene's logic, as that of SQL)."""
    match tree:
        case Named() | Constant():
            return _operand(tree, table)
        case Comparison(left, sign, right):
            return SIGNS[sign](_operand(left, table), _operand(right, table))
        case Among(operand, values):
            return _joined(or_, [_operand(operand, table) == _operand(value, table) for value in values])
        case Between(operand, low, high):
            value = _operand(operand, table)
            return (value >= _operand(low, table)) & (value <= _operand(high, table))
        case Known(column):
            return table[column.name].notnull()
        case Not(part):
            return ~expression(part, table)
        case And(parts):
            return _joined(and_, [expression(part, table) for part in parts])
        case Or(parts):
            return _joined(or_, [expression(part, table) for part in parts])
    raise ValueError("a condition that could not be read has no value")


def _joined(how: Any, parts: list[ir.BooleanValue]) -> ir.BooleanValue:
    """Parts joined in pairs, so that a long list makes no deep expression."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return how(_joined(how, parts[:middle]), _joined(how, parts[middle:]))


def _operand(operand: Operand, table: ir.Table) -> ir.Value:
    if isinstance(operand, Named):
        return table[operand.name]
    value = operand.value
    # Numbers are doubles, as the columns are.
    return ibis.literal(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)
