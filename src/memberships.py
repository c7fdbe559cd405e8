"""The step of a study that replays the tiers of its programme, or of one that is assumed for want of any."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from .points_rules import PointsRules
from .programme.assumed_tiers import assumed_benefits, assumed_rules
from .programme.tier_bunching import Bunching, bunching
from .programme.tier_counts import holders, over_time
from .programme.tier_moves import migration, near_misses
from .programme.tier_rules import TierRules
from .programme.tier_simulator import YEAR, Benefits, Offer, Replay, replay
from .programme.tier_value import by_tier

if TYPE_CHECKING:
    from .study import Study

MONTHS_SHOWN = 36
APART = (YEAR, 182, 91)
"""Days between the two dates that are compared; the most that the log allows, else a horizon."""
STEP = 0.2
"""Share by which thresholds are lowered and raised in a replay."""
MORE = 0.01
"""Share of spend by which benefits are raised."""
LEAST_REPLAYED = 28
"""Days without which a replay says nothing."""


class Ruled(NamedTuple):
    """An offer of tiers, and which parts of it are assumed."""

    offer: Offer
    assumed: bool
    benefits_assumed: bool

    @property
    def reach_days(self) -> int:
        """Days before a date in which who is counted has bought."""
        return self.offer.rules.days if self.offer.rules.period == "rolling" else YEAR


def tiers(study: "Study") -> dict[str, Any]:
    """Who has which tier until `known_until`, what they did, and what other tiers would have been.

    Returns
    -------
    about : known (whether there are tiers to tell of), lacking (part of a dataset file without which there are none,
        or ""). Where known also assumed and benefits_assumed, rules (see `TierRules`), share_of_spend (what each tier
        gives back), reach_days (who bought in so many days is counted, and this long is `spend`), known_from (first
        date whose tiers the log shows, ISO; later than `now` where it is too short), now and before (dates of
        `holders`, ISO; before is None where the log is too short), apart_days, replayed_days (0 where there are too
        few), scenarios (of `replays`: name, thresholds, share_of_spend).
    holders : when (`now`, `before`) and the columns of `tier_counts.holders`.
    over_time : see `tier_counts.over_time`, at the ends of months; left out where the log is too short.
    migration : see `tier_moves.migration`, from `before` to `now`; left out where there is no `before`.
    near : see `tier_moves.near_misses`, with next_tier as a column.
    bunching, windows : see `_bunching`.
    worth : see `tier_value.by_tier`, with tier as a column; left out where the log is too short.
    replays, moves : see `_replays`; left out where the log is too short.
    """
    ruled = rules_in_use(study)
    if isinstance(ruled, str):
        return {"about": {"known": False, "lacking": ruled}}
    tables, rules, now = study.data.tables, ruled.offer.rules, study.known_until
    about = _about(study, ruled)
    told: dict[str, Any] = {"about": about, "holders": _holders(study, ruled, about)}
    if ends := month_ends(date.fromisoformat(about["known_from"]), now):
        told["over_time"] = over_time(tables, rules, ends, ruled.reach_days)
    if about["before"]:
        told["migration"] = migration(tables, rules, date.fromisoformat(about["before"]), now)
    told["near"] = near_misses(tables, rules, now).reset_index()
    told |= _bunching(bunching(tables, rules, now))
    margin = study.dataset.study.margin
    if about["known_from"] <= study.origin(1).isoformat():
        worth = by_tier(tables, rules, now, study.horizon_days, study.active_within_days, margin)
        told["worth"] = worth.reset_index()
    if about["replayed_days"]:
        told |= _replays(study, ruled, about["replayed_days"])
    return told


def rules_in_use(study: "Study") -> Ruled | str:
    """The tiers of the dataset file, or assumed ones; where there are none, the part of the file that is lacking."""
    programme, tables = study.dataset.programme, study.data.tables
    if programme.tiers:
        rules = TierRules.of(programme)
        if rules.by == "points" and tables.points is None:
            return "points"
        given = _benefits(programme.points, rules)
        return Ruled(
            Offer(rules, given or assumed_benefits(len(rules.names))), assumed=False, benefits_assumed=not given
        )
    found = assumed_rules(tables, study.known_until, study.first_day, study.horizon_days)
    if found is None:
        return "programme.tiers"
    return Ruled(Offer(found, assumed_benefits(len(found.names))), assumed=True, benefits_assumed=True)


def _benefits(points: PointsRules | None, rules: TierRules) -> Benefits | None:
    """What points of the tiers cost beyond those of everyone; None where no tier has more, or nobody knows the cost."""
    if points is None or points.cost_per_point is None:
        return None
    worth = points.per_unit * points.cost_per_point
    more = tuple(max(points.tier_multipliers.get(name, 1.0) - 1.0, 0.0) * worth for name in rules.names)
    return Benefits(more, (0.0,) * len(more)) if any(more) else None


def month_ends(first: date, last: date) -> list[date]:
    """First days of months from `first` on and the last date itself, the latest `MONTHS_SHOWN`.

    Examples
    --------
    >>> [str(day) for day in month_ends(date(2024, 1, 15), date(2024, 3, 9))]
    ['2024-02-01', '2024-03-01', '2024-03-09']
    """
    months = pd.date_range(first, last, freq="MS").date.tolist()
    return sorted({*months, *([last] if first <= last else [])})[-MONTHS_SHOWN:]


def _about(study: "Study", ruled: Ruled) -> dict[str, Any]:
    rules, now = ruled.offer.rules, study.known_until
    known_from = rules.known_from(study.first_day)
    room = (now - known_from).days
    apart = next((days for days in (*APART, study.horizon_days) if days <= room), None)
    replayed = min(YEAR, room)
    return {
        "known": True,
        "lacking": "",
        "assumed": ruled.assumed,
        "benefits_assumed": ruled.benefits_assumed,
        "rules": asdict(rules),
        "share_of_spend": list(ruled.offer.benefits.share_of_spend),
        "reach_days": ruled.reach_days,
        "known_from": known_from.isoformat(),
        "now": now.isoformat(),
        "before": None if apart is None else (now - timedelta(days=apart)).isoformat(),
        "apart_days": apart,
        "replayed_days": replayed if replayed >= LEAST_REPLAYED else 0,
        "scenarios": [
            {
                "name": name,
                "thresholds": list(offer.rules.thresholds),
                "share_of_spend": list(offer.benefits.share_of_spend),
            }
            for name, offer in _others(ruled.offer, study.dataset.programme.other_thresholds)
        ],
    }


def _holders(study: "Study", ruled: Ruled, about: dict[str, Any]) -> pd.DataFrame:
    dates = {when: about[when] for when in ("now", "before") if about[when]}
    parts = [
        holders(study.data.tables, ruled.offer.rules, date.fromisoformat(day), ruled.reach_days).assign(when=when)
        for when, day in dates.items()
    ]
    return pd.concat(parts, ignore_index=True)[["when", "tier", "customers", "spend"]]


def _bunching(found: tuple[Bunching, ...]) -> dict[str, pd.DataFrame]:
    """The test at every threshold.

    Returns
    -------
    bunching : tier, threshold; above, below, customers, each with _low and _high, see `Bunching`; clear; placebos and
        passed, how many there are and how many found nothing; refusal ("" where something is said).
    windows : tier, from, until, customers, smooth, see `Bunching`.
    """
    rows, windows = [], []
    for each in found:
        row: dict[str, Any] = {"tier": each.tier, "threshold": each.threshold}
        for name in ("above", "below", "customers"):
            row |= _spread(name, asdict(getattr(each, name)))
        passed = sum(placebo.passed for placebo in each.placebos)
        told = {"clear": each.clear, "placebos": len(each.placebos), "passed": passed}
        rows.append(row | told | {"refusal": " ".join(each.refusals)})
        windows.append(each.windows.assign(tier=each.tier))
    return {"bunching": pd.DataFrame(rows), "windows": pd.concat(windows, ignore_index=True)}


def _others(offer: Offer, asked: Mapping[str, tuple[float, ...]]) -> Iterator[tuple[str, Offer]]:
    """What is replayed beside the present offer, by name; the last are those that the dataset file asks for."""
    rules, benefits = offer.rules, offer.benefits
    for name, factor in (("lower", 1 - STEP), ("higher", 1 + STEP)):
        moved = tuple(round(threshold * factor, 4) for threshold in rules.thresholds)
        yield name, replace(offer, rules=replace(rules, thresholds=moved))
    more = tuple(round(share + MORE, 6) for share in benefits.share_of_spend)
    yield "richer", replace(offer, benefits=replace(benefits, share_of_spend=more))
    for name, thresholds in asked.items():
        yield name, replace(offer, rules=replace(rules, thresholds=thresholds))


def _replays(study: "Study", ruled: Ruled, days: int) -> dict[str, pd.DataFrame]:
    """Other offers replayed on the same purchases.

    Returns
    -------
    replays : scenario (see `about`), present_cost and other_cost (money, over `about["replayed_days"]`), and the
        numbers of `tier_simulator.Replay`: lift and loss with _low and _high.
    moves : scenario, before, after, customers.
    """
    margin, rows, moves = study.dataset.study.margin, [], []
    for name, other in _others(ruled.offer, study.dataset.programme.other_thresholds):
        found = replay(study.data.tables, ruled.offer, other, study.known_until, margin, days)
        rows.append({"scenario": name} | _plain(found))
        moves.append(found.moves.assign(scenario=name))
    return {"replays": pd.DataFrame(rows), "moves": pd.concat(moves, ignore_index=True)}


def _plain(found: Replay) -> dict[str, Any]:
    costs = found.costs["cost"].groupby("offer").sum()
    numbers = (
        "extra_cost", "gainers", "losers", "gainers_cost", "losers_saving", "gainers_spend", "losers_spend",
    )  # fmt: skip
    return (
        {"present_cost": float(costs["present"]), "other_cost": float(costs["other"])}
        | {name: getattr(found, name) for name in numbers}
        | _spread("lift", asdict(found.lift))
        | _spread("loss", asdict(found.loss))
    )


def _spread(name: str, interval: dict[str, float]) -> dict[str, float]:
    """An interval as three columns."""
    return {name: interval["estimate"], f"{name}_low": interval["low"], f"{name}_high": interval["high"]}
