"""What may be told of campaigns: the results of the step with the small cells taken out of them.

A row is a cell twice: of the customers who were reached, and of those who handed in a coupon.
"""

from typing import Any

import numpy as np
import pandas as pd

from ... import notation
from ...study import Study
from .. import words
from ..privacy import hidden

OF_REDEEMERS = (
    "redeemers", "redeemed", "redemptions", "matched", "baskets", "basket_sales", "coupon_sales", "discount", "judged_before",
    "bought_before", "bought_before_share", "bought_before_share_low", "bought_before_share_high",
    "redemption_rate", "redemption_rate_low", "redemption_rate_high",
)  # fmt: skip
UNKNOWN = "Not known"


def about(study: Study) -> dict[str, Any]:
    """Facts about the campaigns, see `campaigns.measured`."""
    told: dict[str, Any] = study.campaigns()["about"]
    return told


def is_known(study: Study | None) -> bool:
    """Whether campaigns are known that were sent to enough customers to be told of."""
    if study is None or not about(study)["known"]:
        return False
    return bool(total(study)["customers"] >= study.dataset.privacy.minimum_cell)


def untold(study: Study) -> str:
    """Why nothing is told of coupons that were handed in, in a sentence; empty where it is."""
    if lacks(study, "redemptions"):
        return "Which coupons were handed in is not known, so nothing can be said of what came back."
    minimum = study.dataset.privacy.minimum_cell
    if total(study)["redeemers"] < minimum:
        return f"Fewer than {minimum} customers handed in a coupon, too few to tell of."
    return ""


def lacks(study: Study, part: str) -> bool:
    """Whether the dataset file lacks a part, by the name it has there."""
    return part in about(study)["lacking"]


def total(study: Study) -> pd.Series:
    """Measures of all campaigns together, see `programme.campaigns.measures`."""
    row: pd.Series = study.campaigns()["total"].iloc[0]
    return row


def told(study: Study, by: str) -> pd.DataFrame:
    """Measures by type, channel, segment or campaign, without what is known of few customers.

    Returns
    -------
    See `programme.campaigns.measures`; what is not told is missing. Beside them
    few : whether so few were reached that nothing is told of them.
    few_redeemed : whether nothing is told of those who handed in a coupon.
    small : whether they are fewer than the minimum; some are not told of because they would give another row away.
    most : where fewer than the minimum handed one in, the share that is as many; missing elsewhere.
    """
    minimum = study.dataset.privacy.minimum_cell
    frame = study.campaigns()[by].rename(index=lambda name: UNKNOWN if pd.isna(name) else str(name))
    # Campaigns add up to their type, all others to the whole.
    wholes = frame["type"].fillna("") if by == "campaign" else pd.Series("", index=frame.index)
    few = _hidden(frame["customers"], wholes, minimum)
    redeemers = frame["redeemers"].fillna(0)
    few_redeemed = few | _hidden(redeemers, wholes, minimum)
    under = few_redeemed & ~few & (redeemers < minimum)
    small = frame["customers"].between(1, minimum - 1)
    # A basket is one customer's: few of them are of few customers.
    few_baskets = frame["baskets"].between(1, minimum - 1)
    counts = [name for name in frame.select_dtypes("number") if name not in OF_REDEEMERS and name != "budget"]
    frame[counts] = frame[counts].astype("float64").where(~few)
    frame[list(OF_REDEEMERS)] = frame[list(OF_REDEEMERS)].astype("float64").where(~few_redeemed)
    sold = ["baskets", "basket_sales", "coupon_sales"]
    frame[sold] = frame[sold].where(~few_baskets)
    most = (minimum / frame["reached"]).clip(upper=1.0).where(under)
    return frame.assign(few=few, few_redeemed=few_redeemed, small=small, most=most)


def _hidden(customers: pd.Series, wholes: pd.Series, minimum: int) -> pd.Series:
    """`privacy.hidden` within each whole."""
    parts = [hidden(part, minimum) for _, part in customers.groupby(wholes, sort=False)]
    return pd.concat(parts).reindex(customers.index).astype(bool)


def in_cells(frame: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """`told` as a table shows it: words where there is no number to show."""
    cells = frame.astype({"reached": object, "redeemed": object, "redemption_rate": object})
    cells.loc[frame["few"], "reached"] = "hidden"
    cells.loc[frame["small"], "reached"] = f"<{minimum}"
    small = frame["few_redeemed"] & ~frame["few"]
    under = small & frame["most"].notna()
    cells.loc[small & ~under, ["redeemed", "redemption_rate"]] = "hidden"
    cells.loc[under, "redeemed"] = f"<{minimum}"
    cells.loc[under, "redemption_rate"] = [
        notation.write(f"under {100 * most:.1f}") for most in frame.loc[under, "most"]
    ]
    return cells


def spans(days: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Days put together until at least `minimum` different customers are in them.

    Parameters
    ----------
    days : see `campaigns._by_day`.

    Returns
    -------
    start, end (first and last day), rows, per_day (rows a day); the last span holds the days left over.
    """
    found: list[dict[str, Any]] = []
    start, waiting = None, days.iloc[:0]
    for day, part in days.groupby("day"):
        start = day if start is None else start
        waiting = pd.concat([waiting, part]) if len(waiting) else part
        new = waiting["previous"].isna() | (waiting["previous"] < start)
        if waiting.loc[new, "customers"].sum() >= minimum:
            found.append({"start": start, "end": day, "rows": waiting["rows"].sum()})
            start, waiting = day + pd.Timedelta(days=1), waiting.iloc[:0]
    if found and len(waiting):
        found[-1] |= {"end": waiting["day"].max(), "rows": found[-1]["rows"] + waiting["rows"].sum()}
    table = pd.DataFrame(found, columns=["start", "end", "rows"])
    length = (pd.to_datetime(table["end"]) - pd.to_datetime(table["start"])).dt.days + 1
    return table.assign(per_day=table["rows"].astype("float64") / length)


def rate(row: pd.Series, name: str = "redemption_rate") -> str:
    """A share with its interval, in words."""
    share = row[name]
    if pd.isna(share):
        return words.NOTHING
    return f"{words.percent(share)} (90 % interval {words.between(row[f'{name}_low'], row[f'{name}_high'], words.percent)})"


def extremes(frame: pd.DataFrame) -> pd.DataFrame:
    """The row that is surely high and the one that is surely low, by the ends of their intervals; one row or none else."""
    known = frame[frame["redemption_rate"].notna() & (frame.index != UNKNOWN)]
    if len(known) < 2:
        return known
    best, worst = known["redemption_rate_low"].idxmax(), known["redemption_rate_high"].idxmin()
    return known.loc[[best, worst]] if best != worst else known.loc[[best]]


def matched_share(study: Study) -> float:
    """Share of the redemptions whose lines the log has; NaN where nothing tells."""
    row = total(study)
    return float(row["matched"] / row["redemptions"]) if row["redemptions"] else np.nan
