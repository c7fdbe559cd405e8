"""Customers whom chance put in arms: who is in which, and whether the sizes are those planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import stats

from ..errors import DataError

IMPOSSIBLE = 0.001
"""A p-value below which chance did not decide alone."""


@dataclass(frozen=True)
class Trial:
    """Customers, the arm that chance put each in, and what became of them; made by `Trial.of`.

    Attributes
    ----------
    frame : index customer, in order of customer; column arm (text), and outcomes and facts from before, numbers.
    control : name of the arm that was held out.
    planned : share of the customers that each arm was to have; None if that is not known.
    """

    frame: pd.DataFrame
    control: str = "control"
    planned: Mapping[str, float] | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame, *, control: str = "control", planned: Mapping[str, float] | None = None) -> Self:
        """Check and order the rows.

        Parameters
        ----------
        frame : one row a customer: customer, arm, and outcomes and facts from before.
        control, planned : see `Trial`; the shares are of all customers, with the control group, and add up to 1.

        Raises
        ------
        DataError
            If a customer is in two arms or in two rows, customer or arm is missing, or an arm was not planned.
        """
        _check_rows(frame)
        rows = frame.assign(arm=frame["arm"].astype(str)).set_index("customer").sort_index()
        if planned is not None:
            _check_plan(planned, control, set(rows["arm"]))
        return cls(rows, control, planned)

    @property
    def sizes(self) -> dict[str, int]:
        """Customers in each arm that was planned or is seen."""
        seen = self.frame["arm"].value_counts()
        return {arm: int(seen.get(arm, 0)) for arm in sorted({*seen.index, *(self.planned or {})})}

    @property
    def arms(self) -> list[str]:
        """The arms that were sent something; `treated` where nobody was."""
        return [arm for arm in self.sizes if arm != self.control] or ["treated"]


def mismatch(trial: Trial) -> float | None:
    """Chance of sizes as far from the planned shares (chi-square test); None where no shares are planned."""
    if trial.planned is None or trial.frame.empty:
        return None
    sizes = trial.sizes
    shares = np.array([trial.planned[arm] for arm in sizes])
    return float(stats.chisquare(list(sizes.values()), shares / shares.sum() * sum(sizes.values())).pvalue)


def refusal(trial: Trial) -> str | None:
    """Why no effect is told where the sizes are not those planned; None where they may be."""
    chance = mismatch(trial)
    if trial.planned is None or chance is None or chance >= IMPOSSIBLE:
        return None
    everyone = sum(trial.sizes.values())
    found = "; ".join(
        f"{arm} {100 * trial.planned[arm]:.1f} % planned, {100 * size / everyone:.1f} % found"
        for arm, size in trial.sizes.items()
    )
    return f"The arms do not have their planned shares ({found}, p = {chance:.1g}): chance alone does not explain it."


def _check_rows(frame: pd.DataFrame) -> None:
    if lacking := {"customer", "arm"} - set(frame.columns):
        raise DataError(f"a campaign's customers: expected the columns customer and arm, {sorted(lacking)} missing")
    if unknown := int(frame[["customer", "arm"]].isna().any(axis=1).sum()):
        raise DataError(f"a campaign's customers: {unknown:,} rows without customer or arm; expected both in every row")
    arms = frame.groupby("customer")["arm"].nunique()
    if double := int((arms > 1).sum()):
        raise DataError(
            f"a campaign's customers: {double:,} of them are in more than one arm; keep the one drawn first"
        )
    if double := int(frame["customer"].duplicated().sum()):
        raise DataError(f"a campaign's customers: {double:,} rows too many; expected one row a customer")


def _check_plan(planned: Mapping[str, float], control: str, seen: set[str]) -> None:
    if control not in planned:
        raise DataError(f"planned shares: expected one of {control!r}, found {', '.join(sorted(planned))}")
    if min(planned.values()) <= 0 or abs(sum(planned.values()) - 1) > 1e-6:
        raise DataError(f"planned shares: expected shares above 0 that add up to 1, found {dict(planned)}")
    if unplanned := seen - set(planned):
        raise DataError(f"planned shares: the arms {sorted(unplanned)} are in the data and not in the plan")
