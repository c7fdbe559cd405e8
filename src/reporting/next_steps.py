"""What to do: the actions of the study in a few sentences for the executive page."""

import pandas as pd

from ..study import Study
from .chapters import actions_numbers as numbers
from .summary_types import Finding

PAGE = "07_actions"
MOST = 3
"""Rules that are told of, those that bring most."""


def steps(study: Study) -> list[Finding]:
    """The chosen actions that bring most, each with its cost, what it should bring and the error of that."""
    if not numbers.is_planned(study):
        return [_said(f"No action could be chosen: {numbers.about(study)['refused']}.")]
    if not numbers.has_chosen(study):
        return [_said("No action is worth its cost for a group that is large enough to tell of.")]
    rules = numbers.contacted(study)
    told = rules[~numbers.secret_rules(study)].sort_values("value", ascending=False, kind="stable")
    if told.empty:
        return [_said(_all(study))]
    return [_said(_rule(study, str(name), row)) for name, row in told.iloc[:MOST].iterrows()]


def _rule(study: Study, name: str, row: pd.Series) -> str:
    """A rule in a sentence."""
    held = f", {numbers.few(study, row['held_out'])} more are held out to measure it" if row["held_out"] >= 1 else ""
    return (
        f"**{name}**: contact {numbers.few(study, row['contacted'])} customers by {row['channel']}{held}. It costs "
        f"{numbers.cash(study, row['spent'])} and should bring {numbers.cash(study, row['value'])} beyond that "
        f"({numbers.error(study)}: {numbers.ends(study, row['low'], row['high'])})."
    )


def _all(study: Study) -> str:
    """All rules in a sentence, where to tell one of them would tell of few customers."""
    sums = numbers.total(study)
    return (
        f"Contact {numbers.few(study, sums['contacted'])} customers, by rules of which none has enough to be told by "
        f"itself. All together cost {numbers.cash(study, sums['spent'])} and should bring "
        f"{numbers.cash(study, sums['value'])} beyond that ({numbers.error(study)}: "
        f"{numbers.ends(study, sums['low'], sums['high'])})."
    )


def _said(text: str) -> Finding:
    return Finding(text=text, page=PAGE)
