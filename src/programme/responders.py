"""Who responds: effects of single customers, how far they can be trusted, and whom to treat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import pandas as pd

from ..models.validation import FloatArray
from .arms import Arms, Propensity, arrange
from .effect import Interval, Overlap
from .heterogeneity import Heterogeneity, by_part, heterogeneity, profile
from .policy import Policy, interval_of, policy
from .qini import Curve, curve, curve_of_scores, rank_within_fold
from .uplift import Learned, Uplift, learn

RANDOMISED = "Arms were drawn at random, with the probabilities given."
ESTIMATED = (
    "Arms were not drawn: all that decided who got into which, and moves the outcome, is among the features. "
    "This cannot be tested."
)


@dataclass(frozen=True)
class Responders:
    """Who responds to one arm.

    Attributes
    ----------
    arm, customers : its name, and how many are in it and in the control group.
    mean : effect on all customers, doubly robust.
    qini, uplift : curves of raw outcomes against the control group alone, the best of each fold first.
    scores : curve of doubly robust scores, which is the most exact, in the same order.
    parts : see `heterogeneity.by_part`.
    differ : whether customers differ in what they gain.
    profile : see `heterogeneity.profile`.
    """

    arm: str
    customers: tuple[int, int]
    mean: Interval
    qini: Curve
    uplift: Curve
    scores: Curve
    parts: pd.DataFrame
    differ: Heterogeneity
    profile: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        frames = {name: getattr(self, name).to_dict("list") for name in ("parts", "profile")}
        told = {name: getattr(self, name).to_dict() for name in ("qini", "uplift", "scores", "differ")}
        return {"arm": self.arm, "customers": list(self.customers), "mean": asdict(self.mean)} | frames | told

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        treated, control = said["customers"]
        return cls(
            arm=said["arm"],
            customers=(treated, control),
            mean=Interval(**said["mean"]),
            qini=Curve.from_dict(said["qini"]),
            uplift=Curve.from_dict(said["uplift"]),
            scores=Curve.from_dict(said["scores"]),
            parts=pd.DataFrame(said["parts"]),
            differ=Heterogeneity.from_dict(said["differ"]),
            profile=pd.DataFrame(said["profile"]),
        )


@dataclass(frozen=True)
class Response:
    """Who responds to which arm, and whom to treat.

    Attributes
    ----------
    arms : one entry an arm.
    policy : whom to treat at each budget.
    overlap : kept and trimmed, and how probable an arm was at least and at most.
    assumptions, notes : in sentences.
    """

    arms: tuple[Responders, ...]
    policy: Policy
    overlap: Overlap
    assumptions: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "arms": [each.to_dict() for each in self.arms],
            "policy": self.policy.to_dict(),
            "overlap": asdict(self.overlap),
            "assumptions": list(self.assumptions),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        arms = tuple(Responders.from_dict(each) for each in said["arms"])
        told = tuple(said["assumptions"]), tuple(said["notes"])
        return cls(arms, Policy.from_dict(said["policy"]), Overlap(**said["overlap"]), *told)


@dataclass(frozen=True)
class Found:
    """What `who_responds` finds: the answer, and what stays in the room for personal data.

    Attributes
    ----------
    response : aggregates, for a page.
    effects : predicted effect of each arm on each customer compared, columns arms, index that of the features; each
        learned without the customer's own outcome, the mean effect aside.
    model : for customers to come.
    """

    response: Response
    effects: pd.DataFrame
    model: Uplift


def who_responds(
    features: pd.DataFrame,
    arm: Sequence[Any] | pd.Series,
    outcome: Sequence[float] | FloatArray | pd.Series,
    *,
    control: str = "control",
    propensity: Propensity = None,
    margin: float = 1.0,
    cost: float | Mapping[str, float] = 0.0,
) -> Found:
    """Learn who gains how much, say how far that can be trusted, and whom to treat.

    Parameters
    ----------
    features, arm, outcome, control, propensity : see `arms.arrange`.
    margin : see `policy.policy`.
    cost : of one contact, money; by arm if they differ.

    Raises
    ------
    DataError, RefusedError
        See `arms.arrange` and `policy.policy`.
    """
    arms = arrange(features, arm, outcome, control=control, propensity=propensity)
    kept = features.iloc[arms.rows]
    learned = learn(kept, arms)
    costs = [cost[name] for name in arms.names[1:]] if isinstance(cost, Mapping) else cost
    names = arms.names[1:]
    pays = policy(
        learned.effects, learned.scores, arms.fold, names=names, margin=margin, cost=costs, widen=max(learned.widen)
    )
    told = tuple(_of_arm(place, kept, arms, learned) for place in range(1, len(arms.names)))
    assumptions = (RANDOMISED if arms.randomised else ESTIMATED, "What one customer gets changes nothing for another.")
    response = Response(told, pays, arms.overlap, assumptions, arms.notes)
    return Found(response, pd.DataFrame(learned.effects, index=kept.index, columns=list(names)), learned.model)


def _of_arm(place: int, features: pd.DataFrame, arms: Arms, learned: Learned) -> Responders:
    """One arm against the control group."""
    predicted, gain = learned.effects[:, place - 1], learned.scores[:, place] - learned.scores[:, 0]
    rows, widen = arms.against_control(place), learned.widen[place - 1]
    order = rank_within_fold(predicted, arms.fold)
    raw = order[rows], (arms.arm[rows] == place).astype("float64"), arms.outcome[rows]
    customers = (int(arms.sizes[place]), int(arms.sizes[0]))
    return Responders(
        arm=arms.names[place],
        customers=customers,
        mean=interval_of(gain),
        qini=curve(*raw, kind="qini", weight=arms.weight[rows], widen=widen),
        uplift=curve(*raw, kind="uplift", weight=arms.weight[rows], widen=widen),
        scores=curve_of_scores(order, gain, customers, widen=widen),
        parts=by_part(predicted, gain, widen=widen),
        differ=heterogeneity(predicted, gain, arms.fold, widen),
        profile=profile(features, predicted),
    )
