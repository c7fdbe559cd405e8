"""The search ends at the same optimum wherever, and on whichever sample, it begins."""

import numpy as np
import pytest
from loyalty.models.fitting import maximise

PEAK = np.log([1.5, 40.0])
INFORMATION = np.array([[900.0, 400.0], [400.0, 300.0]])


def hill(peak, information, bend=0.0):
    """Log-likelihood that is quadratic, but for a bend, in the logs of two parameters."""

    def objective(parameters):
        away = np.log(parameters) - peak
        slope = -information @ away - bend * away**3
        return -away @ information @ away / 2 - bend * (away**4).sum() / 4, slope / parameters

    return objective


SAMPLES = {
    "the same": hill(PEAK, INFORMATION),
    "near, of another curvature": hill(PEAK + 0.1, INFORMATION * [[2, 1], [1, 1]], bend=50),
    "far": hill(PEAK + np.array([3, -4]), INFORMATION),
    "flat": hill(PEAK, np.array([[900.0, 0.0], [0.0, 1e-9]])),
    "too sure": hill(PEAK + 0.5, INFORMATION * 1e4),
    "unsure": hill(PEAK - 0.5, INFORMATION / 100),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_never_changes_the_end(sample):
    objective = hill(PEAK, INFORMATION, bend=100)
    found = maximise(objective, np.ones(2), 1000.0, SAMPLES[sample])
    np.testing.assert_allclose(found.parameters, np.exp(PEAK), rtol=1e-8)
    scale = np.outer(found.parameters, found.parameters)
    np.testing.assert_allclose(found.covariance / scale, np.linalg.inv(INFORMATION), rtol=1e-4)
    assert found.converged


def test_a_flat_likelihood_is_told_with_a_sample_too():
    flat = hill(PEAK, np.array([[900.0, 0.0], [0.0, 1e-9]]))
    found = maximise(flat, np.ones(2), 1000.0, SAMPLES["the same"])
    assert found.undetermined == (1,)
    assert not found.converged
    assert np.isnan(found.covariance[1]).all()


def test_further_starts_are_climbed_on_a_ridge_only():
    def two_ridges(parameters):
        """Flat in the second parameter; in the first a peak at 1 and, beyond a valley, a higher one at 1,000."""
        at = np.log(parameters[0])
        low, high = np.exp(-(at**2)), 2 * np.exp(-((at - np.log(1000)) ** 2))
        slope = -2 * at * low - 2 * (at - np.log(1000)) * high
        return 100 * (low + high), np.array([100 * slope / parameters[0], 0.0])

    near, far = np.array([1.1, 1.0]), np.array([900.0, 1.0])
    assert maximise(two_ridges, near, 1.0).log_likelihood == pytest.approx(100)
    assert maximise(two_ridges, near, 1.0, further_starts=[near, far]).log_likelihood == pytest.approx(200)
    alike = maximise(two_ridges, near, 1.0, further_starts=[np.array([1.1, 50.0])])
    assert alike.parameters[1] == pytest.approx(1.0)
    asked = []

    def single(parameters):
        asked.append(parameters)
        return hill(PEAK, INFORMATION)(parameters)

    counts = []
    for further in ((), [np.ones(2)] * 5):
        asked.clear()
        maximise(single, np.ones(2), 1000.0, further_starts=further)
        counts.append(len(asked))
    assert counts[0] == counts[1]
