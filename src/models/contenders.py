"""The buy-till-you-die models of purchases that compete for a base of customers, the simplest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .base import BTYDModel
from .bgnbd import BGNBD
from .cnbd_k import BGCNBDk, MBGCNBDk
from .mbgnbd import MBGNBD
from .nbd import NBD
from .pareto_nbd import ParetoNBD

REFERENCE = "BG/NBD"
"""The model that is used unless another clearly does better."""


class Contender(NamedTuple):
    """A model in the contest.

    Attributes
    ----------
    model : its class.
    says : how it takes customers to buy and to leave, the end of a sentence.
    regular : whether it knows regular buyers, for which it must be told `log_gaps`.
    """

    model: type[BTYDModel]
    says: str
    regular: bool = False


CONTENDERS: Mapping[str, Contender] = {
    "NBD": Contender(NBD, "at random and nobody leaves"),
    REFERENCE: Contender(BGNBD, "at random and may leave after a repeat purchase"),
    "MBG/NBD": Contender(MBGNBD, "at random and may leave after any purchase, the first included"),
    "Pareto/NBD": Contender(ParetoNBD, "at random and may leave at any time"),
    "BG/CNBD-k": Contender(BGCNBDk, "at regular intervals and may leave after a repeat purchase", regular=True),
    "MBG/CNBD-k": Contender(MBGCNBDk, "at regular intervals and may leave after any purchase", regular=True),
}


def build(name: str = REFERENCE, k: int | None = None) -> BTYDModel:
    """A contender that is not fitted yet.

    Parameters
    ----------
    name : of `CONTENDERS`.
    k : regularity, for the models of regular buyers; with it their fit needs no `log_gaps`.
    """
    model = CONTENDERS[name].model()
    return model if k is None else model.set_params(k=k)


def known(name: str, parameters: Mapping[str, float], k: int | None = None) -> BTYDModel:
    """A contender that predicts with parameters that were found elsewhere."""
    model = build(name, k).with_parameters(parameters)
    if k is not None:
        model.k_ = k
    return model


def regularity(model: BTYDModel) -> int | None:
    """The k of a fitted model of regular buyers, None of another."""
    return getattr(model, "k_", None)
