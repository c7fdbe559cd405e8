"""What may be told of actions: the results of the step with small groups taken out, and how they are written."""

from typing import Any

import numpy as np
import pandas as pd

from ...actions import NO_RULE, UNREACHED
from ...programme.regret import REASONS
from ...study import Study
from .. import words
from ..privacy import hidden
from .effect_numbers import mark
from .tier_numbers import hidden_both_ways

MONEY = ["spent", "value", "low", "high"]
FATES = {
    "resting": "In a cool-down",
    "busy": "Contacted lately",
    "refusing": "No consent",
    "other": "Another action",
    "nothing": "Not worth it",
    "customers": "Chosen",
}
"""What becomes of a customer whom a rule catches, in the order in which it is decided."""


def about(study: Study) -> dict[str, Any]:
    """Facts about the actions, see `actions.actions`."""
    told: dict[str, Any] = study.actions()["about"]
    return told


def is_planned(study: Study) -> bool:
    """Whether something could be chosen at all: limits that contradict each other choose nothing."""
    return not about(study)["refused"]


def chosen(study: Study) -> int:
    """Customers for whom an action is chosen, those who will be held out too."""
    return int(about(study)["allocation"]["customers"])


def has_chosen(study: Study) -> bool:
    """Whether enough customers get an action to tell of them."""
    return is_planned(study) and chosen(study) >= study.dataset.privacy.minimum_cell


def note(study: Study) -> str:
    """What figures say of themselves: that effects are assumed, and what the data are."""
    parts = ["assumed effects"] if is_planned(study) and about(study)["assumed"] else []
    return ", ".join([*parts, *filter(None, [mark(study).removeprefix(", ")])])


def error(study: Study) -> str:
    """What an interval on this page is."""
    designs = set(study.actions()["evidence"].get("design", ()))
    if designs <= {"assumed"}:
        return "the range that is assumed"
    return "90 % interval, or the range that is assumed" if "assumed" in designs else "90 % interval"


def short(study: Study) -> str:
    """What an interval is, for a heading."""
    told = error(study)
    return "assumed range" if told.startswith("the range") else "90 %" if told == "90 % interval" else "90 % or assumed"


def cash(study: Study, value: float) -> str:
    """Money in words."""
    return words.money(value, study.dataset.currency)


def ends(study: Study, low: float, high: float) -> str:
    """Two ends of an interval of money, in words."""
    return words.between(low, high, lambda end: cash(study, end))


def few(study: Study, number: float) -> str:
    """A number of customers in words; that of a small group is not told."""
    minimum = study.dataset.privacy.minimum_cell
    return f"fewer than {minimum}" if 0 < number < minimum else words.count(number)


def capital(text: str) -> str:
    """Words with a capital letter first, all else as it is."""
    return text[:1].upper() + text[1:]


# What is contacted, and what is held out


def contacted(study: Study) -> pd.DataFrame:
    """Of each rule that is chosen: index rule; channel, customers, held_out and contacted (expected), spent, value, low, high.

    Money is of those who are contacted; who is held out costs nothing and brings nothing more.
    """
    rules = study.actions()["rules"].set_index("rule")
    rules = rules[rules["customers"] > 0]
    holds = study.actions()["holdouts"]
    share = holds.set_index("rule")["share"].reindex(rules.index) if len(holds) else pd.Series(0.0, rules.index)
    held = rules["customers"] * share
    left = (1 - share).to_numpy()[:, None]
    told = rules[["channel", "customers"]].assign(held_out=held, contacted=rules["customers"] - held)
    return told.join(rules[MONEY] * left)


def total(study: Study) -> pd.Series:
    """Sums of `contacted`."""
    return contacted(study)[["customers", "held_out", "contacted", *MONEY]].sum()


def secret_rules(study: Study) -> pd.Series:
    """Which chosen rules must not be told of, so that all together do not give one away; index rule."""
    customers, minimum = contacted(study)["customers"], study.dataset.privacy.minimum_cell
    return secret_parts(customers, minimum)


def secret_parts(customers: pd.Series, minimum: int) -> pd.Series:
    """Which parts of a known whole are hidden, so that together they are no small group either.

    Examples
    --------
    >>> secret_parts(pd.Series([3, 4, 30, 40]), 10).tolist()
    [True, True, True, False]
    """
    secret = hidden(customers, minimum)
    for name in customers[~secret & (customers > 0)].sort_values(kind="stable").index:
        if secret.any() and customers[secret].sum() < minimum:
            secret[name] = True
    return secret


ALONE = (NO_RULE, *UNREACHED.values(), *REASONS)
"""Why a customer gets nothing, in the order in which it is decided."""
STOPPED = {"resting": "cool-down", "busy": "most contacts", "refusing": "consent"}
"""What becomes of a customer → the stage at which that is."""


def alone_by_reason(study: Study) -> pd.Series:
    """Customers who get nothing: index `ALONE`; not for a page."""
    return study.actions()["alone"].set_index("reason")["customers"].reindex(list(ALONE), fill_value=0)


def secret_reasons(study: Study) -> pd.Series:
    """Which reasons have too few customers, or would give away one that has; index reason, of those that stop anyone."""
    raw = alone_by_reason(study)
    return secret_parts(raw[raw > 0], study.dataset.privacy.minimum_cell)


def few_between(study: Study, more: int, fewer: int) -> bool:
    """Whether two numbers, both told, would give away a small group."""
    return 0 < more - fewer < study.dataset.privacy.minimum_cell


def cells(numbers: pd.Series, secret: pd.Series, minimum: int) -> pd.Series:
    """Numbers of customers as a table writes them: `<10` or `hidden` where they must not be told."""
    told = numbers.round().astype("int64").astype("object")
    told[secret] = ["hidden" if value >= minimum else f"<{minimum}" for value in numbers[secret]]
    return told


# What becomes of those whom a rule catches


def fates(study: Study) -> pd.DataFrame:
    """Customers whom each rule catches and what becomes of them: index rule; met and `FATES`, as a table writes them.

    A number that a row, or the number chosen, would give away is hidden with the small one; so is what stops a customer
    where the page does not tell how many it leaves alone.
    """
    rules, minimum = study.actions()["rules"].set_index("rule"), study.dataset.privacy.minimum_cell
    frame = pd.DataFrame(
        {
            "met": rules["met"],
            "resting": rules["met"] - rules["rested"],
            "busy": rules["rested"] - rules["free"],
            "refusing": rules["free"] - rules["offered"],
            **{name: rules[name] for name in ("other", "nothing", "customers")},
        }
    )
    parts = frame[list(FATES)]
    secret = parts.gt(0) & parts.lt(minimum)
    secret["customers"] |= secret_rules(study).reindex(frame.index, fill_value=False)
    reasons = secret_reasons(study)
    for name, stage in STOPPED.items():
        secret[name] |= parts[name].gt(0) & bool(reasons.get(UNREACHED[stage], False))
    whole = frame["met"].between(1, minimum - 1)
    for rule in frame.index[secret.any(axis=1)]:
        secret.loc[rule] = _covered(parts.loc[rule], secret.loc[rule], minimum)
        whole[rule] |= _is_told(parts.loc[rule], secret.loc[rule], minimum)
    secret = secret.assign(met=whole)
    return pd.DataFrame({name: cells(frame[name], secret[name], minimum) for name in frame})


def _covered(parts: pd.Series, secret: pd.Series, minimum: int) -> pd.Series:
    """Which parts of a row are hidden so that together they are no small group: more of them, the smallest first."""
    hide, others = secret.copy(), parts.drop("customers")
    for name in others[others > 0].sort_values(kind="stable").index:
        hide[name] |= _is_told(parts, hide, minimum)
    return hide


def _is_told(parts: pd.Series, secret: pd.Series, minimum: int) -> bool:
    """Whether the sum of a row gives away what is hidden in it."""
    return bool(secret.any() and (secret.sum() < 2 or parts[secret].sum() < minimum))


def hidden_in_sum(counts: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Which cells of a table must not be told so that what is hidden in a row or column is together no small group.

    Parameters
    ----------
    counts : customers; rows and columns add up to known numbers.

    Examples
    --------
    >>> hidden_in_sum(pd.DataFrame({"a": [101, 1, 2], "b": [0, 30, 40]}), 10)["a"].tolist()
    [True, True, True]
    """
    small, found = counts, True
    while found:
        secret = hidden_both_ways(small, minimum)
        grown = small
        for axis in ("index", "columns"):
            sums = counts.where(secret, 0).sum(axis=axis)
            for name in sums.index[(sums > 0) & (sums < minimum)]:
                grown = grown.copy()
                line = grown[name] if axis == "index" else grown.loc[name]
                others = line[(line >= minimum)]
                if len(others):
                    place = (others.idxmin(), name) if axis == "index" else (name, others.idxmin())
                    grown.loc[place] = 1
        found, small = not grown.equals(small), grown
    return secret


# States


def states(study: Study) -> pd.DataFrame:
    """Customers by state: index state; customers (as a table writes them), share (missing where they are few)."""
    frame, minimum = study.actions()["states"].set_index("state"), study.dataset.privacy.minimum_cell
    secret = hidden(frame["customers"], minimum)
    return pd.DataFrame(
        {"customers": cells(frame["customers"], secret, minimum), "share": frame["share"].where(~secret)}
    )


def moves(study: Study) -> pd.DataFrame:
    """Shares of each state that went to which; missing where too few did, or where what is told elsewhere gives it away."""
    counts = move_counts(study)
    untold = states(study)["share"].isna().reindex(counts.columns)
    # A state whose size is hidden has no cell that may be told.
    secret = hidden_both_ways(
        counts.mask(untold.to_numpy()[None, :] & (counts > 0), 1), study.dataset.privacy.minimum_cell
    )
    shares = counts.astype("float64").div(counts.sum(axis="columns").replace(0, np.nan), axis="index")
    return shares.where(~secret)


def move_counts(study: Study) -> pd.DataFrame:
    """Customers by state before (rows) and now (columns), of all who had bought by now; not for a page."""
    frame = study.actions()["moves"]
    wide = frame.pivot(index="before", columns="after", values="customers")
    order = list(study.actions()["states"]["state"])
    return wide.reindex(index=[*order, *wide.index.difference(order)], columns=order)
