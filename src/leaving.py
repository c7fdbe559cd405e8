"""The steps of a study that say who will leave: the model in use, what it says now, why, and how it did before."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import origins, sampled
from .models import champion_scores, explain
from .models.backtest import BTYD, RULE, Origin
from .models.btyd_features import log_odds
from .models.champion import Champion
from .models.chosen import Chosen, Slope
from .models.explain_champion import explained_by, of_champion
from .models.line_up import BLEND, line_up, scored_by
from .models.metrics import compare
from .models.players import Curve
from .models.watched import watched

if TYPE_CHECKING:
    from .study import Study

SEEDS = (1, 2, 3)
SHOWN_AGAIN = 2_000
"""Customers whose reasons are computed again with other seeds."""


def in_use(study: Study) -> dict[str, Any]:
    """The model that scores are made by: the blend, but for what a rule says as well.

    The tournament decides: where no model clearly beats the rules, on dates before the last, a rule is used.

    Returns
    -------
    parameters, trees (base64) : of `models.chosen.Chosen.pack`, see `opened`.
    seed_1, seed_2 … : contributions of the blend where its trees are grown from another seed, of some customers.
    about : churn and value (names of who is used for each), winners (of the tournament), notes (what was left out, and
        why), learned_from (dates, ISO, the latest first), outcomes (how many), trees (their hash).

    Raises
    ------
    DataError
        If at the latest past date, or at all before it, everyone left or nobody.
    """
    study.check_outcomes()
    past = [origins.seen(study, day) for day in origins.days(study)]
    winners = {game: study.tournament()["about"][game]["winner"] for game in ("churn", "value")}
    used = {game: scored_by(winner) for game, winner in winners.items()}
    now = origins.seen(study, study.known_until)
    champion = Champion(
        horizon_days=study.horizon_days,
        device=study.dataset.engine_settings.device,
        settings=study.tuned,
        by_silence=study.by_silence,
    ).fit(past)
    chosen = Chosen(
        champion.at(now),
        None if used["churn"] == BLEND else _slope(study, used["churn"], past),
        None if used["value"] == BLEND else used["value"],
    )
    parameters, trees = chosen.pack()
    about = used | {
        "winners": winners,
        "notes": champion.notes_,
        "learned_from": [str(origin.day) for origin in past],
        "outcomes": sum(len(origin.features) for origin in past),
        "trees": hashlib.blake2b(trees, digest_size=16).hexdigest() if trees else "",
    }
    again = {
        f"seed_{seed}": of_champion(champion.again(seed).at(now), now.features.iloc[:SHOWN_AGAIN]) for seed in SEEDS
    }
    return {"parameters": parameters, "trees": base64.b64encode(trees).decode(), "about": about} | again


def opened(study: Study) -> Chosen:
    """The model in use, ready to forecast."""
    packed = study.in_use()
    return Chosen.unpack(packed["parameters"], base64.b64decode(packed["trees"]))


def _slope(study: Study, name: str, past: list[Origin]) -> Slope:
    (rule,) = (each for each in line_up(study.earning()) if isinstance(each, Curve) and each.name == name)
    return Slope.of(rule.fit(past))


def churn(study: Study) -> dict[str, Any]:
    """What the model in use says of the customers active now, and how it did on the last date that was tested.

    Everything in it is of the customers who could leave at each date, or of a sample of them; `periods` is of all.

    Returns
    -------
    holdout : index customer; churned, and the probability by the rule, by the reference model and by the one in use, at
        the test date, each from what was known by then.
    comparison : see `models.metrics.compare`.
    scores : index customer; columns of `models.champion_scores.NUMBERS`, now.
    contributions : of the blend, log-odds, see `models.explain_champion.of_champion`; rows add up to its probability.
    features : what it looks at, one row a customer.
    attributes : what the dataset knows of them, see `features.build.frame`.
    What `models.watched.watched` returns.
    periods : horizon-long periods as in `Study.periods`: end; at_risk, customers who could leave when it began;
        churned, those of them who left.
    about : asked (how many can leave now), winner (who is in use), tournament (who won it), learned_from (outcomes),
        later (whether the test was later than what was learned from), notes, trees (their hash).
    """
    told, chosen = study.tournament(), opened(study)
    last, about = told["last"], study.in_use()["about"]
    reference = BTYD if study.by_silence else BLEND
    names = list(dict.fromkeys(name for name in (RULE, reference, about["churn"]) if name in last))
    now, days = origins.seen(study, study.known_until), study.origins()
    past = [origins.seen(study, day) for day in days]
    periods, asked = _periods(study)
    said = {
        "periods": periods,
        "holdout": last[[*names, "churned"]],
        "comparison": compare(last["churned"].to_numpy("float64"), {name: last[name].to_numpy() for name in names}),
        "about": {
            "asked": asked,
            "winner": about["churn"],
            "tournament": about["winners"]["churn"],
            "learned_from": told["about"]["learned"][0],
            "later": told["about"]["later"],
            "notes": about["notes"],
            "trees": about["trees"],
        },
    }
    contributions = of_champion(chosen.forecaster, now.features)
    probability = chosen.forecaster.forecast(now.features)["churn_probability"].to_numpy()
    # What all have in common is the level: with it rows add up to the probability that is told.
    contributions[explain.BASE] += log_odds(probability) - contributions.sum(axis=1)
    return (
        said
        | {
            "scores": champion_scores.score(chosen, now.features, study.earning()),
            "contributions": contributions,
            "features": explained_by(chosen.forecaster.known(now.features)),
            "attributes": now.features,
        }
        | watched(now, past, days, said, study.dataset.privacy.minimum_cell)
    )


def _periods(study: Study) -> tuple[pd.DataFrame, int]:
    """Who could leave and who did, period by period, and how many can now; everyone, not a sample."""
    table = study.periods()
    if study.by_silence:
        return table[["end", "at_risk", "churned"]], int(table["active"].iloc[-1])
    starts = [study.origin(back) for back in range(len(table), 0, -1)]
    counts = pd.DataFrame([sampled.outcomes_counted(study, day) for day in starts])
    now = sampled.asked(study, study.data.tables, study.known_until).count()
    return counts.assign(end=table["end"].to_numpy())[["end", "at_risk", "churned"]], int(now.to_pyarrow().as_py())
