"""The step of a study that lets contenders forecast past dates, and says which of them is to be believed."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import origins
from .models import league, profit, reliability
from .models.line_up import line_up, scored_by
from .models.profit import Offer
from .models.tournament import Contender, Played, Round, play

if TYPE_CHECKING:
    from .study import Study

INCENTIVE, CONTACT = 1 / 20, 1 / 200
"""Assumed cost of an offer that is taken, and of making it, as shares of a customer's worth: the proportions of
Verbraken, Verbeke & Baesens (2013)."""

SHARES = np.linspace(0, 1, 101)
"""Where the profit curve is told."""


def tournament(
    study: "Study", contenders: Sequence[Contender] | None = None, told: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Let contenders forecast the customers active at past dates, and judge them by what came.

    The winner is chosen on all tested dates but the last; what is told of the last is a test that it has not seen.

    Parameters
    ----------
    study : whose past dates are played.
    contenders : the simplest first; those of `models.line_up` if not given.
    told : is told what is being done.

    Returns
    -------
    churn, value : scores of each contender, see `models.league.League.scores`.
    churn_gains, value_gains : how much better than the rule each is, and
    churn_duels, value_duels : than the winner, and than who makes the scores, see `models.league.League`.
    calibration, tenths : promised against realised on the last date, of the winner and of the rule: contender, and the
        columns of `models.metrics.calibration` and `models.reliability.amounts_by_tenth`, the latter with coverage.
    profit : contender, share (of the customers contacted), profit (money a customer), on the last date.
    last : index customer, in order; churned, and the churn probability by each contender, on the last date.
    about : days (tested, the latest first, ISO), customers and learned (numbers, as `days`), skipped, notes, later;
        churn, value (each winner, used, who makes the scores, rule, beaten, playing); offer (value, incentive, contact,
        accepted, break_even); cut_off (probability, share, profit, of the rule, of everyone).
    """
    rounds = rounds_of(study, told)
    device = study.dataset.engine_settings.device
    usual = line_up(study.earning(), device, study.tuned, study.by_silence)
    played = play(contenders or usual, rounds, told)
    offer = _offer(study, played)
    churn, value = league.churn_league(played, offer), league.value_league(played)
    cell = study.dataset.privacy.minimum_cell
    return {
        **{"churn": churn.scores, "churn_gains": churn.gains, "churn_duels": churn.duels},
        **{"value": value.scores, "value_gains": value.gains, "value_duels": value.duels},
        "calibration": _of_both(churn, lambda name: _calibration(played, name, cell)),
        "tenths": _of_both(value, lambda name: _tenths(played, name, cell)),
        "profit": _of_both(churn, lambda name: _profit(played, name, offer)),
        "last": _last(played),
        "about": {
            "days": [day.isoformat() for day in played.days],
            "customers": [len(each) for each in played.outcomes],
            "learned": played.learned,
            "skipped": played.skipped,
            "notes": played.notes,
            "later": played.later,
            "churn": _verdict(churn),
            "value": _verdict(value),
            "offer": offer._asdict() | {"accepted": offer.accepted, "break_even": offer.break_even},
            "cut_off": _cut_off(played, churn, offer),
        },
    }


def rounds_of(study: "Study", told: Callable[[str], None] = lambda _: None) -> list[Round]:
    """Past dates with all that contenders may see, the latest first; those between the tested ones are learned from."""
    tested, rounds = set(study.origins()), []
    for day in origins.days(study):
        told(f"features of {day}")
        seen = origins.seen(study, day)
        outcomes = pd.DataFrame(seen.amounts).assign(churned=seen.churned)
        over = day + timedelta(days=study.horizon_days)
        rounds.append(Round(day, seen, outcomes[["churned", "purchases", "spend"]], over, day in tested))
    return rounds


def _last(played: Played) -> pd.DataFrame:
    said = {
        name: each[0]["churn_probability"] for name, each in played.forecasts.items() if "churn_probability" in each[0]
    }
    return pd.DataFrame({"churned": played.outcomes[0]["churned"].astype("bool")} | said).sort_index()


def _offer(study: "Study", played: Played) -> Offer:
    """What it costs to keep a customer, in proportion to a year's margin on what one who stays spends more."""
    last = played.outcomes[0]
    spend = float(last.loc[~last["churned"].astype(bool), "spend"].mean())
    if not study.by_silence:
        spend -= max(float(last.loc[last["churned"].astype(bool), "spend"].mean()), 0.0)
    worth = max(round(study.dataset.study.margin * spend * 365 / study.horizon_days, 2), 0.01)
    return Offer(value=worth, incentive=INCENTIVE * worth, contact=CONTACT * worth)


def _of_both(found: league.League, table: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """A table of the winner and of the rule, on top of each other."""
    names = dict.fromkeys([found.winner, _rule(found)])
    return pd.concat([table(name).assign(contender=name) for name in names], ignore_index=True)


def _rule(found: league.League) -> str:
    return str(found.scores["contender"].iloc[0])


def _groups(customers: int, cell: int) -> int:
    """Groups of equal size of which each may be told."""
    return max(1, min(10, customers // cell))


def _calibration(played: Played, name: str, cell: int) -> pd.DataFrame:
    from .models.metrics import calibration

    churned = played.outcomes[0]["churned"].to_numpy("float64")
    told = played.forecasts[name][0]["churn_probability"].to_numpy()
    return calibration(churned, told, _groups(len(churned), cell))


def _tenths(played: Played, name: str, cell: int) -> pd.DataFrame:
    spend, said = played.outcomes[0]["spend"].to_numpy("float64"), played.forecasts[name][0]
    groups = _groups(len(spend), cell)
    expected = said["expected_spend"].to_numpy()
    table = reliability.amounts_by_tenth(spend, expected, groups)
    if "expected_spend_low" not in said:
        return table.assign(coverage=np.nan)
    inside = said["expected_spend_low"].le(spend + 1e-9) & said["expected_spend_high"].ge(spend - 1e-9)
    return table.assign(coverage=inside.groupby(reliability.grouped(expected, groups)).mean())


def _profit(played: Played, name: str, offer: Offer) -> pd.DataFrame:
    churned = played.outcomes[0]["churned"].to_numpy("float64")
    curve = profit.profit_curve(churned, played.forecasts[name][0]["churn_probability"].to_numpy(), offer)
    return pd.DataFrame({"share": SHARES, "profit": np.interp(SHARES, curve["share"], curve["profit"])})


def _verdict(found: league.League) -> dict[str, Any]:
    return {
        "winner": found.winner,
        "used": scored_by(found.winner),
        "rule": _rule(found),
        "beaten": found.beaten,
        "playing": list(dict.fromkeys(found.scores["contender"])),
    }


def _cut_off(played: Played, found: league.League, offer: Offer) -> dict[str, float]:
    """The winner's best probability to contact from, chosen where the winner was, and what it brought on the last date.

    Returns
    -------
    probability, share (of the customers contacted), profit, everyone (profit if all are contacted): money a customer.
    """
    earlier = [*range(1, len(played.days))] or [0]
    seen = np.concatenate([played.outcomes[at]["churned"].to_numpy("float64") for at in earlier])
    told = np.concatenate([played.forecasts[found.winner][at]["churn_probability"].to_numpy() for at in earlier])
    cut_off = profit.best_cut_off(profit.profit_curve(seen, told, offer))
    churned = played.outcomes[0]["churned"].to_numpy("float64")
    last = played.forecasts[found.winner][0]["churn_probability"].to_numpy()
    return {
        "probability": min(cut_off, 1.0),
        "share": float((last >= cut_off).mean()),
        "profit": profit.profit_at(churned, last, cut_off, offer),
        "everyone": profit.profit_at(churned, last, 0.0, offer),
    }
