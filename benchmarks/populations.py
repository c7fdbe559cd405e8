"""Simulated customers whose histories models are fitted to, in whole days."""

from pathlib import Path
from typing import NamedTuple

DAILY_SPEND = (6.25, 3.74, 15.44)
"""p, q and v of Gamma-Gamma, as of CDNOW."""


class Population(NamedTuple):
    """BG/NBD parameters per day, and the youngest and oldest age in days."""

    r: float
    alpha: float
    a: float
    b: float
    youngest: int
    oldest: int


POPULATIONS = {
    "low": Population(0.25, 33.5, 0.72, 2.16, 190, 275),  # as CDNOW's
    "high": Population(0.7, 19, 0.35, 2.5, 150, 1000),
}


def make(name: str, customers: int, file: Path) -> None:
    """Customers of a population with ``frequency``, ``recency``, ``T`` and ``monetary_value``, as Parquet."""
    import numpy as np
    from loyalty.models.beta_geometric import simulate_histories
    from loyalty.models.gamma_gamma import draw_spend

    of, rng = POPULATIONS[name], np.random.default_rng(1)
    ages = rng.integers(of.youngest, of.oldest + 1, customers)
    people = simulate_histories(of.r, of.alpha, of.a, of.b, ages, seed=rng)[["frequency", "recency", "T"]]
    people["recency"] = np.ceil(people["recency"])
    # Purchases of one day are one purchase.
    people["frequency"] = np.minimum(people["frequency"], people["recency"]).astype(np.int64)
    x, nothing = people["frequency"].to_numpy(dtype=float), np.zeros(customers)
    spent = draw_spend(np.array(DAILY_SPEND), nothing, nothing, x, rng)
    # In cents, and never none for who has bought.
    people["monetary_value"] = np.where(x > 0, np.maximum(np.round(spent / np.maximum(x, 1), 2), 0.01), 0.0)
    people.to_parquet(file)


def describe(file: Path) -> str:
    """Customers, repeat purchases and distinct histories of a population, in words."""
    import pandas as pd

    people = pd.read_parquet(file)
    x = people["frequency"]
    distinct = len(people[["frequency", "recency", "T"]].drop_duplicates())
    return (
        f"{len(x):,} customers with {x.mean():.1f} repeats on average, up to {x.max()}; {distinct:,} distinct histories"
    )


def log_likelihoods(file: Path, customers: int, model: str, found: list[dict[str, float]]) -> list[float]:
    """Log-likelihood of the first customers at each of several estimates, all by the same function."""
    import pandas as pd
    from fitters import LOYALTY, class_of
    from loyalty.models.gamma_gamma import log_likelihood
    from loyalty.models.validation import read_histories

    people = pd.read_parquet(file).iloc[:customers]
    if model == "gamma_gamma":
        x, z = (column.to_numpy(dtype=float) for _, column in people[["frequency", "monetary_value"]].items())
        return [float(log_likelihood(at["p"], at["q"], at["v"], x[x > 0], z[x > 0]).sum()) for at in found]
    fitter = class_of(LOYALTY, model)()
    objective = fitter._objective(read_histories(people).grouped())
    return [objective(pd.Series(at)[list(fitter._names)].to_numpy())[0] for at in found]
