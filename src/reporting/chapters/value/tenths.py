"""What the customers are worth, in ten groups."""

import numpy as np
import pandas as pd

from ....study import Study
from ... import words


def by_tenth(study: Study) -> pd.DataFrame:
    """CLV by tenth of the customers, the most valuable first.

    Returns
    -------
    tenth, customers, clv, low, high (means, money), total (money), share (of 1); empty if a tenth would be too small
    to be shown.
    """
    each = study.value()["customers"].sort_values("clv", ascending=False, kind="stable")
    tenth = np.arange(len(each)) * 10 // max(len(each), 1) + 1
    table = each.groupby(tenth).agg(
        customers=("clv", "size"),
        clv=("clv", "mean"),
        low=("clv_low", "mean"),
        high=("clv_high", "mean"),
        total=("clv", "sum"),
    )
    table = table.rename_axis("tenth").reset_index().assign(share=lambda t: t["total"] / t["total"].sum())
    return table.head(0) if table["customers"].min() < study.dataset.privacy.minimum_cell else table


def share_of_the_top(study: Study) -> str:
    """What the most valuable tenth carries, in a sentence; empty if there are too few customers for tenths."""
    tenths = by_tenth(study)
    return (
        ""
        if tenths.empty
        else f"The most valuable tenth of them carries {words.percent(tenths['share'].iloc[0])} of the margin this leaves. "
    )
