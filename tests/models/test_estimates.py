"""Estimates and their errors: the maximum and not the point that a prior prefers, and errors by a bootstrap."""

import numpy as np
import pandas as pd
import pytest
from loyalty.models import beta_geometric, negative_binomial, pareto_forecasts
from loyalty.models.bgnbd import BGNBD
from loyalty.models.gamma_gamma import GammaGamma
from loyalty.models.mbgnbd import MBGNBD
from loyalty.models.nbd import NBD
from loyalty.models.pareto_nbd import ParetoNBD

# pymc-marketing 0.19.2, `fit(method="map")` with its default priors, CDNOW 1/10 sample in weeks.
MAP = {
    BGNBD: {"r": 0.2437234, "alpha": 4.4437382, "a": 0.7056770, "b": 2.0919451},
    MBGNBD: {"r": 0.5654557, "alpha": 6.4543301, "a": 0.8214749, "b": 1.3560143},
    ParetoNBD: {"r": 0.5596213, "alpha": 10.5912380, "s": 0.5503050, "beta": 9.7560173},
}


@pytest.mark.parametrize("kind", MAP)
def test_the_estimate_is_the_maximum_and_not_that_of_a_prior(kind, sample):
    """Default priors pull a and b, or s and beta, by up to a sixth, to where the likelihood still rises."""
    model = kind(time_unit="weeks").fit(sample.histories)
    objective = model._objective(model._read_grouped(sample.histories))
    pulled = pd.Series(MAP[kind])
    value, slope = objective(pulled.to_numpy())
    assert model.log_likelihood_ > value + 0.05
    assert (pulled / model.params_ - 1).abs().max() > 0.1
    assert np.abs(slope * pulled).max() > 0.5
    _, slope = objective(model.params_.to_numpy())
    assert np.abs(slope * model.params_).max() < 1e-4


def people_of(kind):
    """Simulate 3,000 customers as the model tells the story."""
    T = np.random.default_rng(1).integers(60, 600, 3000)
    if kind is NBD:
        return negative_binomial.simulate_histories(0.8, 40.0, T, seed=2)
    if kind is ParetoNBD:
        return pareto_forecasts.simulate_histories(1.2, 40.0, 0.9, 200.0, T, seed=2)
    if kind is GammaGamma:
        rng = np.random.default_rng(2)
        x = rng.integers(1, 8, T.size)
        spend = rng.gamma(6 * x) / (rng.gamma(4, 1 / 15, T.size) * x)
        return pd.DataFrame({"frequency": x, "monetary_value": spend})
    return beta_geometric.simulate_histories(0.9, 40.0, 0.9, 3.0, T, seed=2, first=kind._first)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [NBD, BGNBD, MBGNBD, ParetoNBD, GammaGamma])
def test_standard_errors_are_those_of_a_bootstrap(kind):
    """200 samples of the customers with replacement; their own error is five per cent."""
    people, rng = people_of(kind), np.random.default_rng(3)
    model, logs = kind().fit(people), []
    for _ in range(200):
        times = rng.multinomial(len(people), np.full(len(people), 1 / len(people)))
        again = people[times > 0].assign(weight=times[times > 0])
        logs.append(np.log(kind().fit(again).params_))
    spread = pd.DataFrame(logs)
    told = model.standard_errors_ / model.params_
    np.testing.assert_allclose(spread.std(), told, rtol=0.2)
    np.testing.assert_allclose(spread.corr(), model.parameter_correlation_, atol=0.2)
