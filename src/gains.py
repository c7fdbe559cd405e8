"""Who gains from a campaign, and what joining the programme changed: the parts of `effects` that look at customers."""

from base64 import b64decode, b64encode
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from .errors import DataError, RefusedError
from .features import build
from .features.columns import Tables, Window
from .features.sample import last_mark, tables_up_to
from .models.btyd_features import STEADY, Outlook, expected_spend
from .origins import gapped
from .programme import joining, members
from .programme.default_rules import DEFAULTS
from .programme.effect import Interval
from .programme.responders import Found, who_responds
from .programme.rule_evidence import tells_of, types_of
from .programme.targeting import calibrated
from .programme.uplift import Uplift
from .sampled import active_tables

if TYPE_CHECKING:
    from .study import Study

MOST_LEARNED = 20_000
"""Customers who are looked at one by one."""


def of_members(study: "Study") -> dict[str, Any]:
    """What joining changed, beside how members and others stand.

    Returns
    -------
    effects : by outcome, see `Effect.to_dict`; None where nobody knows who joined when.
    standing : rows of `joining.standing`.
    """
    tables, settings = study.data.tables, study.dataset.study
    if tables.customers is None or "joined" not in tables.customers.columns:
        return {"effects": None, "standing": []}
    found = members.against_others(
        tables,
        study.known_until,
        study.horizon_days,
        currency=study.dataset.currency,
        margin=settings.margin,
        annual_discount_rate=settings.annual_discount_rate,
    )
    standing = joining.standing(tables, study.known_until, study.horizon_days).to_pandas()
    return {
        "effects": {name: each.to_dict() for name, each in found.items()},
        "standing": standing.to_dict("records"),
    }


class Over(NamedTuple):
    """A campaign with a control group that is over.

    Attributes
    ----------
    campaign, start, days : its name, its first day, and over how many days its effect is read.
    people : see `programme.held_out.participants`.
    smaller : customers of the smaller arm.
    cost : of one contact, money.
    """

    campaign: str
    start: date
    days: int
    people: pd.DataFrame
    smaller: int
    cost: float


def who_gains(study: "Study", over: list[Over]) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Who gains how much from the largest campaign, and from the largest of each rule, learned from its first day.

    Returns
    -------
    campaign, days and response (see `Response.to_dict`) of the largest; None where an arm has too few active customers.
    Of each rule whose customers are shown to differ: rule, campaign, start (ISO), centre, mean, slope (see
    `targeting.calibrated`), model and trees (see `Uplift.pack`; text).
    """
    rules, types = study.dataset.actions.rules or DEFAULTS, types_of(study.campaigns().get("campaign"))
    by_size = sorted(over, key=lambda each: (each.smaller, each.start), reverse=True)
    of_rules: dict[str, Over] = {}
    for each in by_size:
        for rule in rules:
            if tells_of(each.campaign, rule, types):
                of_rules.setdefault(rule.name, each)
    wanted = {each.campaign: each for each in [*by_size[:1], *of_rules.values()]}
    found = {name: _learned(study, each) for name, each in wanted.items()}
    told = None
    if by_size and (response := found[by_size[0].campaign]):
        largest = {"campaign": by_size[0].campaign, "days": by_size[0].days}
        told = largest | {"response": response.response.to_dict()}
    single = [
        _packed(rule, each, known)
        for rule, each in of_rules.items()
        if (known := found[each.campaign]) and known.response.arms[0].differ.shown
    ]
    return told, single


def _learned(study: "Study", over: Over) -> Found | None:
    """What those active on the first day gained; None where an arm has too few of them."""
    drawn = over.people.set_index("customer")
    tables = study.data.tables
    cut = tables_up_to(tables, last_mark(tables.days.select("customer").distinct(), MOST_LEARNED))
    known = _features(study, cut, over.start, over.start)
    known = known.loc[known.index.intersection(drawn.index)].sort_index()
    known = known.loc[:, known.nunique() > 1]
    drawn = drawn.loc[known.index]
    try:
        return who_responds(known, drawn["arm"], drawn["spend"], margin=study.dataset.study.margin, cost=over.cost)
    except RefusedError:
        return None


def _packed(rule: str, over: Over, found: Found) -> dict[str, Any]:
    model, trees = found.model.pack()
    (arm,) = found.response.arms
    return {
        "rule": rule,
        "campaign": over.campaign,
        "start": over.start.isoformat(),
        "centre": float(found.effects[arm.arm].mean()),
        "mean": asdict(arm.mean),
        "slope": asdict(arm.differ.slope),
        "model": model,
        "trees": [b64encode(each).decode() for each in trees],
    }


def single_effects(study: "Study", single: list[dict[str, Any]]) -> pd.DataFrame | None:
    """What each rule would change in the spend of each customer who is active now, as earlier campaigns of it taught.

    Parameters
    ----------
    single : see `who_gains`.

    Returns
    -------
    See `targeting.with_effects`; of a sample where there are more customers than are learned from. None without a rule.
    """
    parts = []
    for each in single:
        day = date.fromisoformat(each["start"])
        known = _features(study, active_tables(study, study.known_until), study.known_until, day)
        model = Uplift.unpack(each["model"], [b64decode(tree) for tree in each["trees"]])
        mean, slope = Interval(**each["mean"]), Interval(**each["slope"])
        told = calibrated(model.predict(known)[:, 0], each["centre"], mean, slope)
        said = {"customer": known.index, "rule": each["rule"], "measure": "spend", "design": "randomised"}
        parts.append(told.assign(**said))
    return pd.concat(parts, ignore_index=True) if parts else None


def _features(study: "Study", tables: Tables, day: date, learned: date) -> pd.DataFrame:
    """Features of the customers active on a day, in the windows that there were when it was learned from them.

    Beside them what buy-till-you-die models, fitted to everyone on that day, expect: whoever has left unseen cannot
    gain, and most gain in some proportion to what they would spend anyway.
    """
    lengths = build.windows_that_fit(study.first_day, learned)
    window = Window(day, lengths, study.horizon_days, (learned - study.first_day).days)
    known = build.frame(tables, window, study.active_within_days)
    try:
        outlook = Outlook.fit(gapped(study, day), known).forecast(known, study.horizon_days)
    except DataError:  # nobody bought twice
        return known
    return known.join(outlook).assign(expected_spend=expected_spend(outlook, STEADY))
