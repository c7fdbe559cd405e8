"""One contender of `btyd.py`, in a process of its own: `fitters.py NAME MODEL POPULATION CUSTOMERS`.

It may run in an environment that has nothing but the peer it measures. It fits the first CUSTOMERS of the population,
predicts for all, and tells on standard output, as JSON, what that cost and what came out.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

HORIZON_DAYS = 90
FEW = 1000
"""Customers of the fit before the one that counts, which loads what is loaded late, and compiles."""

LOYALTY = {
    "bgnbd": "loyalty.models.bgnbd.BGNBD",
    "mbgnbd": "loyalty.models.mbgnbd.MBGNBD",
    "pareto_nbd": "loyalty.models.pareto_nbd.ParetoNBD",
    "gamma_gamma": "loyalty.models.gamma_gamma.GammaGamma",
}
LIFETIMES = {
    "bgnbd": "lifetimes.BetaGeoFitter",
    "mbgnbd": "lifetimes.ModifiedBetaGeoFitter",
    "pareto_nbd": "lifetimes.ParetoNBDFitter",
    "gamma_gamma": "lifetimes.GammaGammaFitter",
}
PYMC = {
    "bgnbd": "pymc_marketing.clv.BetaGeoModel",
    "mbgnbd": "pymc_marketing.clv.ModifiedBetaGeoModel",
    "pareto_nbd": "pymc_marketing.clv.ParetoNBDModel",
    "gamma_gamma": "pymc_marketing.clv.GammaGammaModel",
}


class Spent(NamedTuple):
    """Elapsed and CPU time of a step, in seconds; CPU of all threads and of compilers that were called."""

    elapsed: float
    cpu: float


class Fitter(NamedTuple):
    """How one package fits a model to a frame, what it found, and how it predicts."""

    fit: Callable[[Any], Any]
    parameters: Callable[[Any], dict[str, float]]
    predict: Callable[[Any, Any], Sequence[Any]]
    """P(alive) and the expected purchases; nothing for a model of spend."""


class Contender(NamedTuple):
    """Who does it: shown as, how a model's fitter is made, and the packages whose versions are told."""

    shown: str
    begin: Callable[[str], Fitter]
    packages: tuple[str, ...]
    warm: bool = True
    """A first small fit makes a second one faster."""


def class_of(places: dict[str, str], model: str) -> Any:
    """Import the class of a model."""
    module, _, name = places[model].rpartition(".")
    return getattr(import_module(module), name)


def loyalty(model: str) -> Fitter:
    """The project's models, which take the frame."""
    made = class_of(LOYALTY, model)

    def predict(fitted: Any, h: Any) -> Sequence[Any]:
        if model == "gamma_gamma":
            return ()
        return fitted.probability_alive(h), fitted.expected_purchases(h, horizon_days=HORIZON_DAYS)

    return Fitter(lambda h: made().fit(h), lambda fitted: dict(fitted.params_), predict)


def lifetimes(model: str) -> Fitter:
    """The package lifetimes, without a penalty, so that it looks for the same optimum."""
    made = class_of(LIFETIMES, model)

    def fit(h: Any) -> Any:
        if model == "gamma_gamma":
            buyers = h[h["frequency"] > 0]
            return made(penalizer_coef=0.0).fit(buyers["frequency"], buyers["monetary_value"])
        return made(penalizer_coef=0.0).fit(h["frequency"], h["recency"], h["T"])

    def predict(fitted: Any, h: Any) -> Sequence[Any]:
        if model == "gamma_gamma":
            return ()
        history = (h["frequency"], h["recency"], h["T"])
        return fitted.conditional_probability_alive(*history), fitted.predict(HORIZON_DAYS, *history)

    return Fitter(fit, lambda fitted: dict(fitted.params_), predict)


def pymc_marketing(model: str) -> Fitter:
    """The package pymc-marketing, its maximum a posteriori with the priors it has by default."""
    made = class_of(PYMC, model)

    def fit(h: Any) -> Any:
        people = h[h["frequency"] > 0] if model == "gamma_gamma" else h
        fitted = made(data=people.assign(customer_id=range(len(people))))
        fitted.fit(method="map", progressbar=False)
        return fitted

    # Its predictions are made for many draws at once, and not comparable.
    return Fitter(fit, lambda fitted: dict(fitted.fit_summary()), lambda fitted, h: ())


CONTENDERS = {
    "loyalty": Contender("loyalty", loyalty, ("numpy", "scipy", "pandas")),
    "lifetimes": Contender("lifetimes", lifetimes, ("lifetimes", "numpy", "scipy", "pandas", "autograd")),
    "pymc-marketing": Contender("pymc-marketing MAP", pymc_marketing, ("pymc-marketing", "pymc"), warm=False),
}


def timed(work: Callable[[], Any]) -> tuple[Any, Spent]:
    """Call a function; its result, and what it took."""
    began, before = time.perf_counter(), _cpu()
    result = work()
    return result, Spent(time.perf_counter() - began, _cpu() - before)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak() -> int:
    """Highest memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(name: str, model: str, population: str, customers: str) -> None:
    """Run one contender."""
    import numpy as np
    import pandas as pd

    contender = CONTENDERS[name]
    fitter, everybody = contender.begin(model), pd.read_parquet(Path(population))
    people = everybody.iloc[: int(customers)]
    began = time.perf_counter()
    if contender.warm:
        fitter.fit(people.iloc[:FEW])
    warmed = time.perf_counter() - began
    fitted, fit = timed(lambda: fitter.fit(people))
    memory = peak()
    fitter.predict(fitted, everybody.iloc[:FEW])
    predicted, predict = timed(lambda: fitter.predict(fitted, everybody))
    told = {
        "fit": fit,
        "peak": memory,
        "warmed": warmed,
        "parameters": {key: float(value) for key, value in fitter.parameters(fitted).items()},
        "predict": predict if len(predicted) else None,
        "not_finite": sum(int((~np.isfinite(values)).sum()) for values in predicted),
        "versions": {package: version(package) for package in contender.packages},
    }
    sys.stdout.write(f"{json.dumps(told)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
