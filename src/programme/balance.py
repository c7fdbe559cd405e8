"""Whether arms that chance drew were alike before: what is known from before may differ by no more than chance."""

import numpy as np
import pandas as pd
from scipy import stats

from .effect import QUANTILE

MOST_CLASSES = 12
"""Of a category; the rest is `other`."""
UNKNOWN, OTHER = "not known", "other"


def known_before(history: pd.DataFrame, attributes: pd.DataFrame) -> pd.DataFrame:
    """Facts from before as numbers without gaps.

    Parameters
    ----------
    history : numbers; a gap becomes the mean, which tells arms apart no more than chance does.
    attributes : text; each becomes shares of its most common classes, at most `MOST_CLASSES`.

    Returns
    -------
    One column a number, and one of 0 and 1 for each class, named `column: class`. Columns without variation are left
    out.

    Examples
    --------
    >>> known = known_before(
    ...     pd.DataFrame({"orders": [1.0, None, 3.0]}), pd.DataFrame({"region": ["north", "south", None]})
    ... )
    >>> known.columns.tolist()
    ['orders', 'region: north', 'region: not known', 'region: south']
    """
    facts = {str(name): values.fillna(values.mean()) for name, values in history.items()}
    for name, values in attributes.items():
        said = values.fillna(UNKNOWN).astype("str")
        common = said.value_counts().sort_index().nlargest(MOST_CLASSES).index
        classes = said.where(said.isin(common), OTHER)
        facts |= {f"{name}: {value}": (classes == value).astype("float64") for value in sorted(classes.unique())}
    table = pd.DataFrame(facts, index=history.index)
    return table.loc[:, table.nunique() > 1]


def differences(known: pd.DataFrame, arm: pd.Series, control: str) -> pd.DataFrame:
    r"""Standardised differences between each arm and the control group.

    :math:`d = (\bar x_1 - \bar x_0) / \sqrt{(s_1^2 + s_0^2) / 2}` (Austin 2009, Statistics in Medicine 28,
    eq. 1). Where chance drew the arms it has about the standard error :math:`\sqrt{1 / n_1 + 1 / n_0}`.

    Parameters
    ----------
    known : see `known_before`.
    arm : of each customer, the index of `known`.
    control : name of the control group.

    Returns
    -------
    arm, fact, control_mean, arm_mean, difference (in standard deviations), low, high (its 90 % interval); by arm and in
    the order of `known`.
    """
    held = known[(arm == control).to_numpy()]
    rows = []
    for name in sorted(set(arm) - {control}):
        given = known[(arm == name).to_numpy()]
        spread = np.sqrt((given.var(ddof=1) + held.var(ddof=1)) / 2)
        difference = (given.mean() - held.mean()) / spread.where(spread > 0)
        half = QUANTILE * np.sqrt(1 / len(given) + 1 / len(held))
        columns = {"control_mean": held.mean(), "arm_mean": given.mean(), "difference": difference}
        table = pd.DataFrame(columns | {"low": difference - half, "high": difference + half})
        rows.append(table.rename_axis("fact").reset_index().assign(arm=name))
    return pd.concat(rows, ignore_index=True)


def alike(known: pd.DataFrame, arm: pd.Series, control: str) -> pd.Series:
    r"""Chance of arms that differ as much from the control group, over all facts at once.

    With the differences of the means :math:`\delta` and the pooled covariance S of the facts,
    :math:`\delta^\top (S (1 / n_1 + 1 / n_0))^{-1} \delta` is chi-square with as many degrees of freedom as there are
    facts that do not follow from others (Hansen and Bowers 2008, Statistical Science 23, eq. 9, for large arms).

    Returns
    -------
    Index arm: p-value; NaN where nothing is known from before.
    """
    held = known[(arm == control).to_numpy()]
    found = {}
    for name in sorted(set(arm) - {control}):
        given = known[(arm == name).to_numpy()]
        both = pd.concat([given, held])
        scale = both.std(ddof=1)
        of_use = scale[scale > 0].index
        if not len(of_use):
            found[name] = np.nan
            continue
        spread = (both[of_use] / scale[of_use]).cov().to_numpy() * (1 / len(given) + 1 / len(held))
        delta = ((given[of_use].mean() - held[of_use].mean()) / scale[of_use]).to_numpy()
        inverse = np.linalg.pinv(spread, rcond=1e-9, hermitian=True)
        freedom = np.linalg.matrix_rank(spread, tol=1e-9 * np.abs(spread).max(), hermitian=True)
        found[name] = float(stats.chi2.sf(delta @ inverse @ delta, freedom))
    return pd.Series(found, dtype="float64", name="p_value")
