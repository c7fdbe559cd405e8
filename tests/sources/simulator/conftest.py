import pytest
from loyalty.sources.simulator import Simulation, simulate_frames


@pytest.fixture(scope="session")
def shop():
    """Tables and truth of a retailer with everything but dirt."""
    return simulate_frames(Simulation(customers=10_000, days=600, seed=11))
