"""The step of a study that says what campaigns and the programme changed, and whether that paid."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import effects_drawn as drawn_by_chance
from . import effects_earned as earned
from . import effects_worth as worth
from . import gains
from .effects_drawn import DAYS, Read
from .features.offers import Offers
from .programme import held_out
from .programme.observational import effect, plan_for
from .programme.panel import Panel, by_kind, panel
from .programme.stacking import stack
from .store import digest

if TYPE_CHECKING:
    from .study import Study

SINGLE = 10
"""Campaigns that are looked at one by one: the largest, or of those with a control group the latest. Those that rules
of actions name as evidence come on top."""
LEARNED = 200
"""Customers that the smaller arm needs before anyone asks who responds."""
EVERYTHING = "All campaigns"
UNTYPED = "Without a type"
ACCOUNTS = ("accounts", "earlier_accounts", "single_accounts")


def key(study: "Study") -> str:
    """The same as long as the same read-outs are registered."""
    folder = study.root / "data" / "registered" / study.name
    return digest(*((file.name, file.read_bytes()) for file in sorted(folder.glob("*.toml"))))


def effects(study: "Study") -> dict[str, Any]:
    """What was caused until `known_until`: plain values, in which effects are as `Effect.to_dict` writes them.

    Returns
    -------
    about : known (whether anyone was sent a campaign), days (over which effects are read), randomised and targeted (how
        many campaigns of each design have begun).
    randomised : of the latest campaigns with a control group: campaign, start (ISO), days, running, effects (by metric,
        the first the main one), planned (share that was to be held out; None where that is not known); registered_on
        (ISO), minimum_effect and succeeded (whether it is a rise beyond chance, see `registry.succeeded`; None while it
        runs), all None where nothing was registered.
    observed : of all other campaigns together, by type, and of the largest: name, kind (`all`, `type` or `campaign`),
        campaigns (how many), compared (names of those that could be), observed (see `Observed.to_dict`).
    splits : see `Cannibalisation.to_dict`, of campaigns whose sales with a coupon are known; refused while they run.
    accounts : see `ProfitAndLoss.to_dict`, refused while a campaign runs; of those of `randomised`, and of the others
        by type. earlier_accounts : of the other campaigns with a control group. whole : of all these together, None
        where there is none. single_accounts : of the largest other campaigns one by one; those that no type holds are
        in `whole` too.
    members : effects (by outcome; None where nobody knows who joined when) and standing, see `joining.standing`.
    responders : campaign and response, see `Response.to_dict`; None where no campaign with a control group is enough.
    single : effects on single customers that actions may count with, see `gains.who_gains`.
    """
    told = {"members": gains.of_members(study)}
    offers = study.data.offers
    if offers is None or not study.campaigns()["about"]["known"]:
        nothing: dict[str, Any] = {name: [] for name in ("randomised", "observed", "splits", *ACCOUNTS)}
        about = {"known": False, "days": DAYS, "randomised": 0, "targeted": 0}
        return told | nothing | {"about": about, "whole": None, "responders": None, "single": []}
    drawn = held_out.campaigns(offers, study.known_until)
    targeted = [name for name in study.campaigns()["campaign"].index.astype(str) if name not in drawn.index]
    last = worth.last_days(study, offers)
    read, earlier = _read(study, offers, drawn, last)
    around = panel(study.data.tables, study.known_until) if targeted else None
    seen = [] if around is None else _observed(study, around, targeted)
    chosen = None if around is None else earned.Chosen(around, seen, last)
    accounts = earned.accounts(study, read, earlier, chosen)
    responders, single = gains.who_gains(study, [worth.over(study, each) for each in read if _is_enough(each)])
    return told | {
        "about": {"known": True, "days": DAYS, "randomised": len(drawn), "targeted": len(targeted)},
        "randomised": [drawn_by_chance.plain(each) for each in read],
        "observed": [{**each, "observed": each["observed"].to_dict()} for each in seen],
        "splits": [each.to_dict() for each in worth.splits(study, read, around, seen, last)],
        **{name: [each.to_dict() for each in some] for name, some in zip(ACCOUNTS, accounts[:3], strict=True)},
        "whole": accounts.whole and accounts.whole.to_dict(),
        "responders": responders,
        "single": single,
    }


def _looked_at(study: "Study", campaigns: Iterable[str], chosen: Sequence[str]) -> list[str]:
    """The campaigns that are looked at one by one: those chosen, and those that rules of actions name as evidence."""
    named = {name for rule in study.dataset.actions.rules for name in rule.evidence}
    return [name for name in campaigns if name in chosen or name in named]


# Where chance decided


def _read(
    study: "Study", offers: Offers, drawn: pd.DataFrame, last: Mapping[str, date]
) -> tuple[list[Read], list[Read]]:
    """Campaigns with a control group: those that are looked at one by one, and the others, for their accounts alone."""
    shown = _looked_at(study, drawn.index, list(drawn.tail(SINGLE).index))
    read, earlier = [], []
    for name, row in drawn.iterrows():
        found = drawn_by_chance.read(study, offers, str(name), row, last.get(str(name)))
        if name in shown:
            read.append(found)
        else:
            earlier.append(found.without_people())
    return read, earlier


# Where customers were chosen


def _observed(study: "Study", seen: Panel, targeted: list[str]) -> list[dict[str, Any]]:
    """All targeted campaigns, by type, and the largest one by one."""
    measured = study.campaigns()["campaign"]
    groups: list[tuple[str, str, Sequence[str]]] = [(EVERYTHING, "all", targeted)] if len(targeted) > 1 else []
    types = measured["type"] if "type" in measured else pd.Series(dtype="object")
    types = types.fillna(UNTYPED) if types.notna().any() else types.dropna()
    kinds = {str(name): str(kind) for name, kind in types.items() if str(name) in targeted}
    groups += [(kind, "type", names) for kind, names in by_kind(seen, kinds).items() if names]
    by_size = measured.loc[targeted, "reached"].sort_values(ascending=False, kind="stable").index
    groups += [
        (f"Campaign {name}", "campaign", [str(name)]) for name in _looked_at(study, by_size, list(by_size[:SINGLE]))
    ]
    return [_group(study, seen, *group) for group in groups]


def _group(study: "Study", seen: Panel, name: str, kind: str, names: Sequence[str]) -> dict[str, Any]:
    found = effect(seen, names, name=name, currency=study.dataset.currency)
    return {
        "name": name,
        "kind": kind,
        "campaigns": len(names),
        "compared": _compared(seen, names) if found.effect.treated else [],
        "observed": found,
    }


def _compared(seen: Panel, names: Sequence[str]) -> list[str]:
    """Campaigns that an effect of several is made of."""
    found = stack(seen, tuple(names), plan_for(seen, names), "spend")
    return sorted({seen.campaigns[cohort.campaign] for cohort in found.cohorts})


def _is_enough(read: Read) -> bool:
    """Whether a campaign is over and had enough customers to ask who gains from it."""
    return not read.running and read.smaller >= LEARNED and read.effects[read.main].identified
