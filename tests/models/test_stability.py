"""Awkward customers, every model: finite, as high as other searches climb, and honest about what stays open."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from loyalty.errors import ConvergenceWarning, DataError
from loyalty.models import (
    beta_binomial,
    beta_geometric,
    beta_geometric_k,
    erlang_draws,
    gamma_gamma,
    negative_binomial,
    pareto_likelihood,
)
from loyalty.models.base import AssumptionWarning
from loyalty.models.bgbb import BGBB, read_opportunities
from loyalty.models.bgnbd import BGNBD
from loyalty.models.cnbd_k import BGCNBDk, MBGCNBDk
from loyalty.models.gamma_gamma import GammaGamma
from loyalty.models.mbgnbd import MBGNBD
from loyalty.models.nbd import NBD
from loyalty.models.pareto_nbd import ParetoNBD
from loyalty.models.validation import read_histories
from scipy.optimize import minimize

SLACK = 0.05
"""Units of log-likelihood: on a ridge it rises for ever, by less and less."""

# Customers --------------------------------------------------------------------------------------------------


def frame(x, t_x, T, **more):
    """Build histories in days."""
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": T, **more}).astype(float)


def usual(n=1500):
    """Return customers as most shops have them, in whole days."""
    ages = np.random.default_rng(3).integers(30, 400, n)
    people = beta_geometric.simulate_histories(1, 30, 1, 4, ages, seed=7, first=1)
    t_x = np.ceil(people["recency"])
    return frame(np.minimum(people["frequency"], t_x), t_x, people["T"])


def regular(a, b, first):
    """Return customers who buy at even intervals."""
    ages = np.random.default_rng(3).integers(200, 400, 2000)
    people = erlang_draws.simulate_histories(2, 20, a, b, ages, k=2, seed=4, first=first)
    return frame(people["frequency"], people["recency"], people["T"])


def seldom(buyers, latest=0.9):
    """Return 1,500 customers of whom so few came again, within that share of their time."""
    rng = np.random.default_rng(buyers)
    T = rng.integers(30, 1000, 1500)
    x = np.arange(1500) < buyers
    return frame(x, np.ceil(T * rng.uniform(0, latest, 1500)) * x, T)


def giants():
    """Return three at 1,000 among thousands at 2."""
    twice = frame(2, np.random.default_rng(1).integers(10, 300, 3000), 330)
    return pd.concat([twice, frame([1000] * 3, [395, 390, 399], 399)], ignore_index=True)


def ten_thousand():
    """Return frequencies to 10,000 in three years."""
    rng = np.random.default_rng(3)
    ages = rng.integers(1000, 1096, 500)
    people = beta_geometric.simulate_histories(0.5, 0.5, 0.02, 2, ages, seed=6)
    people.loc[0, ["frequency", "recency", "T"]] = [10_000, 1095, 1095]
    return frame(people["frequency"], people["recency"], people["T"])


def last_day(people):
    """Return customers seen on the day of a purchase."""
    return people.assign(recency=people["T"] * (people["frequency"] > 0))


CASES: dict[str, Callable[[], pd.DataFrame]] = {
    "twenty customers": lambda: usual(20),
    "no one-time buyer": lambda: usual().query("frequency > 0"),
    "nobody churns": lambda: regular(1e-9, 1, 1),
    "everybody leaves at once": lambda: regular(50, 1, 1),
    "everybody leaves after the second": lambda: regular(1, 1e-9, 0),
    "T all equal": lambda: usual().assign(T=400.0),
    "recency = T": lambda: last_day(usual()),
    "recency = T, regular": lambda: last_day(regular(1, 4, 1)),
    "three giants": giants,
    "frequency to 10,000": ten_thousand,
    "weights in the millions": lambda: usual().assign(weight=3_000_000.0),
    "1 repeat buyer": lambda: seldom(1),
    "2 repeat buyers": lambda: seldom(2),
    "3 repeat buyers": lambda: seldom(3),
    "10 repeat buyers": lambda: seldom(10),
    "1 repeat buyer, soon": lambda: seldom(1, 0.02),
    "2 repeat buyers, soon": lambda: seldom(2, 0.02),
    "3 repeat buyers, soon": lambda: seldom(3, 0.02),
    "10 repeat buyers, soon": lambda: seldom(10, 0.02),
    "1 repeat buyer, late": lambda: last_day(seldom(1)),
    "10 repeat buyers, late": lambda: last_day(seldom(10)),
}


def at_opportunities(people):
    """Count in opportunities, one every 30 days; of more purchases than those, as many as there were of them."""
    n, t_x = np.ceil(people["T"] / 30), np.ceil(people["recency"] / 30)
    counted = pd.DataFrame({"frequency": np.minimum(people["frequency"], t_x), "recency": t_x, "n_periods": n})
    return counted.assign(weight=people.get("weight", 1.0))


def with_spend(people):
    """Add what each repeat buyer spends on average."""
    rng, x = np.random.default_rng(5), people["frequency"].to_numpy()
    spend = rng.gamma(6 * np.maximum(x, 1)) / (rng.gamma(4, 1 / 15, x.size) * np.maximum(x, 1))
    return people.assign(monetary_value=np.where(x > 0, spend, np.nan))


# Models -----------------------------------------------------------------------------------------------------


def of_times(formula):
    """Return the log-likelihood that a formula gives a frame of histories in days."""
    return lambda people: formula(read_histories(people).grouped())


def with_phases(first):
    def formula(h):
        constant = beta_geometric_k.log_gap_terms(2, h, None)
        return beta_geometric_k.weighted_log_likelihood(h, 2, first, constant)

    return of_times(formula)


def of_spend(people):
    buyers = people[people["frequency"] > 0]
    weight = buyers.get("weight", pd.Series(1.0, buyers.index))
    return gamma_gamma.weighted_log_likelihood(
        *(column.to_numpy(float) for column in (buyers["frequency"], buyers["monetary_value"], weight))
    )


BETA_STARTS = ((0.5, 10, 0.5, 1), (2, 100, 0.1, 3), (1, 30, 3, 20), (0.1, 1, 1, 0.1), (20, 500, 0.01, 0.01))
BETA_STARTS += ((0.05, 20, 1e-3, 1e-3), (5, 3e3, 0.1, 0.1), (0.3, 300, 5, 0.05))
RATE_STARTS = ((0.1, 1), (1, 30), (5, 1000), (0.02, 10), (0.01, 1e3), (50, 1e5))
RACE_STARTS = ((0.5, 10, 0.5, 100), (2, 100, 3, 20), (0.1, 1, 0.1, 1), (5, 3e3, 0.05, 10), (0.05, 20, 2, 5))
RACE_STARTS += ((20, 500, 20, 1e4), (1, 300, 0.02, 0.02), (0.3, 300, 5, 1))
LATTICE_STARTS = ((0.5, 0.5, 0.5, 5), (5, 5, 2, 2), (1, 20, 0.1, 50), (0.05, 0.5, 0.01, 0.1), (0.1, 5, 5, 5))
LATTICE_STARTS += ((50, 50, 0.01, 1), (0.02, 0.02, 1, 1), (0.1, 10, 0.1, 0.01))
SPEND_STARTS = ((1, 1, 1), (6, 4, 15), (50, 2, 400), (0.5, 20, 9), (30, 30, 30), (2, 0.5, 0.1))


@dataclass(frozen=True)
class Contestant:
    """A model, its log-likelihood of a frame, where else to start, and the frame it wants."""

    make: Callable[[], object]
    objective: Callable
    starts: tuple[tuple[float, ...], ...]
    view: Callable[[pd.DataFrame], pd.DataFrame] = pd.DataFrame.copy


MODELS = {
    "NBD": Contestant(NBD, of_times(negative_binomial.weighted_log_likelihood), RATE_STARTS),
    "BGNBD": Contestant(BGNBD, of_times(lambda h: beta_geometric.weighted_log_likelihood(h, 0)), BETA_STARTS),
    "MBGNBD": Contestant(MBGNBD, of_times(lambda h: beta_geometric.weighted_log_likelihood(h, 1)), BETA_STARTS),
    "ParetoNBD": Contestant(ParetoNBD, of_times(pareto_likelihood.weighted_log_likelihood), RACE_STARTS),
    "BGCNBDk": Contestant(lambda: BGCNBDk(k=2), with_phases(0), BETA_STARTS),
    "MBGCNBDk": Contestant(lambda: MBGCNBDk(k=2), with_phases(1), BETA_STARTS),
    "BGBB": Contestant(
        BGBB,
        lambda people: beta_binomial.Lattice(read_opportunities(people).grouped()),
        LATTICE_STARTS,
        at_opportunities,
    ),
    "GammaGamma": Contestant(GammaGamma, of_spend, SPEND_STARTS, with_spend),
}


def climbed(objective, start, customers):
    """Where another search ends from a start of its own, and its log-likelihood there."""

    def loss(logs):
        value, gradient = objective(np.exp(logs))
        return -value / customers, -gradient * np.exp(logs) / customers

    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 500}
    bounds = [(-18, 22)] * len(start)
    found = minimize(loss, np.log(start), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.exp(found.x), -found.fun * customers


def exact_of_spend(parameters, buyers):
    """Log-likelihood of mean spends in 60 digits."""
    with mp.workdps(60):
        p, q, v = (mp.mpf(float(each)) for each in parameters)
        total = mp.mpf(0)
        for x, z in zip(buyers["frequency"], buyers["monetary_value"], strict=True):
            shape, spent = p * mp.mpf(x), mp.mpf(x) * mp.mpf(z)
            total += mp.loggamma(shape + q) - mp.loggamma(shape) - mp.loggamma(q) - mp.log(z)
            total -= shape * mp.log(1 + v / spent) + q * mp.log(1 + spent / v)
        return float(total)


def lifetimes_reaches(name, people, objective):
    """What lifetimes reaches, by our function; nothing where it gives up or has no such model."""
    import lifetimes

    kinds = {"BGNBD": "BetaGeoFitter", "MBGNBD": "ModifiedBetaGeoFitter", "ParetoNBD": "ParetoNBDFitter"}
    kinds |= {"BGBB": "BetaGeoBetaBinomFitter", "GammaGamma": "GammaGammaFitter"}
    if name not in kinds:
        return -np.inf
    fitter = getattr(lifetimes, kinds[name])()
    weights = people.get("weight", pd.Series(1.0, people.index))
    try:
        if name == "GammaGamma":
            buyers = people["frequency"] > 0
            fitter.fit(*(column[buyers] for column in (people["frequency"], people["monetary_value"], weights)))
        else:
            fitter.fit(*(people[c] for c in people.columns if c != "weight"), weights)
    except (lifetimes.utils.ConvergenceError, ValueError, TypeError):
        return -np.inf
    return objective(fitter.params_.to_numpy())[0]


def fitted(name, people):
    """Return a fit, and whether it warned that it is none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.simplefilter("ignore", AssumptionWarning)
        model = MODELS[name].make().fit(people)
    return model, any(issubclass(each.category, ConvergenceWarning) for each in caught)


# Tests ------------------------------------------------------------------------------------------------------

UNBOUNDED = {("GammaGamma", case) for case in CASES if case.startswith("1 repeat buyer")}
"""The density of a single spend has no largest value: where a search ends is the end of its range."""

ROUNDED = {("GammaGamma", "frequency to 10,000")}
"""On its ridge p exceeds 1e8, and terms cancel so much that the sum is rounded by more than the slack."""


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", MODELS)
def test_fit_is_finite_honest_and_as_high_as_any_climb(name, case):
    entry = MODELS[name]
    people = entry.view(CASES[case]())
    model, warned = fitted(name, people)
    assert warned != model.converged_
    assert np.isfinite([model.log_likelihood_, model.aic_, model.bic_, *model.params_]).all()
    assert np.isfinite(model.standard_errors_.drop(list(model.undetermined_))).all()
    if name == "GammaGamma":
        spend = model.expected_spend(people[people["frequency"] > 0])
        assert (np.isfinite(spend) & (spend > 0)).all()
    else:
        for values in (model.probability_alive(people), model.expected_purchases(people, horizon_days=90)):
            assert (np.isfinite(values) & (values >= 0)).all()
    if (name, case) not in UNBOUNDED | ROUNDED:
        objective = entry.objective(people)
        assert objective(model._vector())[0] == pytest.approx(model.log_likelihood_, rel=1e-9, abs=1e-3)
        customers = people.get("weight", pd.Series(1.0, people.index)).sum()
        reached = {start: climbed(objective, start, customers)[1] for start in entry.starts}
        best = max(reached, key=reached.get)
        assert model.log_likelihood_ >= reached[best] - SLACK, f"higher from {best}"


@pytest.mark.parametrize(("name", "case"), sorted(ROUNDED))
def test_where_the_sum_is_rounded_ends_are_compared_in_high_precision(name, case):
    entry = MODELS[name]
    people = entry.view(CASES[case]())
    model, _ = fitted(name, people)
    buyers = people[people["frequency"] > 0]
    ends = [climbed(entry.objective(people), start, len(buyers))[0] for start in entry.starts]
    assert exact_of_spend(model._vector(), buyers) >= max(exact_of_spend(end, buyers) for end in ends) - SLACK


QUICK = {"twenty customers", "no one-time buyer", "three giants", "10 repeat buyers", "nobody churns"}
"""Cases in which Pareto/NBD of lifetimes comes to an end within seconds; in others it may take many minutes."""

FITTERS = ["BGNBD", "MBGNBD", "BGBB", "GammaGamma", "ParetoNBD"]
HELD_AGAINST_LIFETIMES = [
    (name, case)
    for name in FITTERS
    for case in CASES
    if case in QUICK or (name != "ParetoNBD" and "repeat buyer" not in case)
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(("name", "case"), HELD_AGAINST_LIFETIMES)
def test_lifetimes_reaches_no_higher(name, case):
    entry = MODELS[name]
    people = entry.view(CASES[case]())
    model, _ = fitted(name, people)
    assert model.log_likelihood_ >= lifetimes_reaches(name, people, entry.objective(people)) - SLACK


@pytest.mark.parametrize("name", MODELS)
def test_one_time_buyers_alone_are_refused(name):
    people = MODELS[name].view(frame([0] * 40, 0, np.arange(40) + 100))
    with pytest.raises(DataError, match="all 40 rows are 0, which identifies nothing"):
        fitted(name, people)
