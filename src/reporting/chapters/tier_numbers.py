"""What may be told of tiers: the results of the step with the small cells taken out of them."""

from typing import Any

import numpy as np
import pandas as pd

from ...programme.tier_rules import NO_TIER
from ...study import Study
from .. import words
from ..privacy import hidden

SIMULATED = "simulated programme"
WITHOUT = "no tier"
"""How those below the first tier are called on a page."""


def about(study: Study) -> dict[str, Any]:
    """Facts about the tiers, see `memberships.tiers`."""
    told: dict[str, Any] = study.tiers()["about"]
    return told


def has_tiers(study: Study) -> bool:
    """Whether there are tiers, or assumed ones, with enough customers to tell of."""
    if not about(study)["known"]:
        return False
    return bool(_now(study)["customers"].sum() >= study.dataset.privacy.minimum_cell)


def _now(study: Study) -> pd.DataFrame:
    frame = study.tiers()["holders"]
    return frame[frame["when"] == "now"]


def note(study: Study) -> str:
    """What every figure of the tiers says of itself; empty where they are the retailer's own."""
    return SIMULATED if about(study)["assumed"] else ""


def lead(study: Study) -> str:
    """What every sentence on the tiers begins with where they are assumed."""
    return f"{SIMULATED.capitalize()}: " if about(study)["assumed"] else ""


def titled(study: Study, title: str) -> str:
    """A title that says so where the tiers are assumed."""
    return words.titled(title, note(study))


def levels(study: Study) -> list[str]:
    """Names of the tiers, those without one first."""
    return [WITHOUT, *about(study)["rules"]["names"]]


def called(names: pd.Series) -> pd.Series:
    """Names of tiers as a page writes them."""
    return names.astype("str").replace(NO_TIER, WITHOUT)


def amount(study: Study, value: float) -> str:
    """A threshold, in money or in points, to the unit: it is a rule and no estimate."""
    if about(study)["rules"]["by"] == "points":
        return f"{words.exactly(value)} points"
    currency = study.dataset.currency
    return f"{words.symbol(currency)}{words.exactly(value)}"


def holders(study: Study, when: str = "now") -> pd.DataFrame:
    """Customers and their spend by tier, at one of the two dates.

    Returns
    -------
    index tier; customers, spend (money), share, share_of_spend (of 1); missing where too few are behind them. raw, the
    customers before anything was taken out, is not for a page.
    """
    frame = study.tiers()["holders"]
    frame = frame[frame["when"] == when]
    frame = frame.assign(tier=called(frame["tier"])).set_index("tier")
    few = hidden(frame["customers"], study.dataset.privacy.minimum_cell)
    customers, spend = (frame[name].astype("float64") for name in ("customers", "spend"))
    shares = {"share": customers / _some(customers.sum()), "share_of_spend": spend / _some(spend.sum())}
    told = pd.DataFrame({"customers": customers, "spend": spend} | shares).where(~few)
    return told.assign(raw=frame["customers"])


def moves(study: Study) -> pd.DataFrame:
    """Shares of each tier that went to which, rows and columns in the order of the tiers; missing where too few went.

    A cell that could be had from a row or a column of the table and the size of its tier is missing too.
    """
    counts = move_counts(study)
    secret = hidden_both_ways(counts, study.dataset.privacy.minimum_cell)
    shares = counts.astype("float64").div(counts.sum(axis="columns").replace(0, np.nan), axis="index")
    return shares.where(~secret)


def move_counts(study: Study) -> pd.DataFrame:
    """Customers by tier before and now, of those who had bought before; not for a page."""
    frame = study.tiers()["migration"]
    frame = frame.assign(before=called(frame["before"]), after=called(frame["after"]))
    order = levels(study)
    return frame.pivot(index="before", columns="after", values="customers").reindex(index=order, columns=order)


def hidden_both_ways(counts: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Which cells of a table whose rows and columns add up to known numbers must not be told.

    Parameters
    ----------
    counts : customers; the same names in rows and columns.
    minimum : the least number that may be shown.

    Returns
    -------
    True for cells of 1 to `minimum` - 1 customers, and for others without which a row or a column would give them away.

    Examples
    --------
    >>> names = ["none", "Gold"]
    >>> hidden_both_ways(pd.DataFrame([[50, 3], [40, 60]], names, names), 10).to_numpy().tolist()
    [[True, True], [True, True]]
    """
    cells = counts.to_numpy()
    secret = (cells > 0) & (cells < minimum)
    found = True
    while found:
        # Views: what is hidden in a row is hidden in the columns too.
        found = any([_with_partners(cells, secret), _with_partners(cells.T, secret.T)])
    return pd.DataFrame(secret, counts.index, counts.columns)


def _with_partners(cells: np.ndarray, secret: np.ndarray) -> bool:
    """Hide a second cell in rows with one that is hidden, best where a column needs it too; whether any was."""
    found = False
    for row in np.flatnonzero(secret.sum(axis=1) == 1):
        others = np.flatnonzero(~secret[row] & (cells[row] > 0))
        needed = [column for column in others if secret[:, column].sum() == 1]
        if len(others):
            secret[row, min(needed or others, key=lambda column: cells[row, column])] = True
            found = True
    return found


def _some(total: float) -> float:
    return total if total else float("nan")
