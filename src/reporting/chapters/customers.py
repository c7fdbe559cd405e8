"""Chapter 2: who the customers are, and how they come back."""

import pandas as pd
from great_tables import GT

from ...features.rfm import SEGMENTS
from ...models.metrics import wilson
from ...models.survival import kaplan_meier
from ...study import Study
from .. import marks, tables, words
from ..figures import SEGMENT_ORDER
from ..privacy import hidden, suppress


def answer(study: Study) -> str:
    """Three sentences: how many buy again, how fast, and who carries the spend."""
    now, tenths = repurchase(study).iloc[-1], concentration(study)
    month = returned_by(second_purchase(study), 30)
    text = (
        f"Of the customers who bought in the last {words.days(study.horizon_days)}, {words.percent(now['share'])} bought on two days or more "
        f"(90 % interval {words.between(now['low'], now['high'], words.percent)}). "
        f"Counted from the first purchase in the log, {words.percent(month['share'])} are back within 30 days "
        f"({words.between(month['low'], month['high'], words.percent)})."
    )
    if tenths.empty:
        return text
    return f"{text} The tenth of the customers that spends most brought {words.percent(tenths['share'].iloc[0])} of the last year's spend."


def segment_table(study: Study) -> pd.DataFrame:
    """Segments of the last year: customers, spend, their shares, and the usual customer of each; index segment."""
    table = study.segments().set_index("segment")
    table = table.reindex([name for name in SEGMENT_ORDER if name in table.index])
    return table.assign(
        customers_share=table["customers"] / table["customers"].sum(), spend_share=table["spend"] / table["spend"].sum()
    )


def publishable_segments(study: Study) -> pd.DataFrame:
    """The segments that are large enough to be drawn."""
    table = segment_table(study)
    return table[~hidden(table["customers"], study.dataset.privacy.minimum_cell)]


def segments(study: Study) -> GT:
    """Segments as a table."""
    table = suppress(segment_table(study), "customers", study.dataset.privacy.minimum_cell).reset_index()
    table["meaning"] = table["segment"].map(SEGMENTS)
    return tables.table(
        table[["segment", "meaning", "customers", "days_since_last", "purchase_days", "spend", "spend_share"]],
        title="Segments of the last year's customers",
        columns={
            "segment": tables.text("Segment"),
            "meaning": tables.text("Who they are"),
            "customers": tables.count("Customers"),
            "days_since_last": tables.days("Since last purchase, median"),
            "purchase_days": tables.count("Purchase days, median"),
            "spend": tables.money("Spend", study.dataset.currency),
            "spend_share": tables.percent("Share of spend"),
        },
    )


def read_segments(study: Study) -> str:
    """The segments in two sentences."""
    table = publishable_segments(study)
    if table.empty:
        return f"No segment has {study.dataset.privacy.minimum_cell} customers or more."
    first = table.loc[table["spend_share"].idxmax()]
    text = f"{first.name} are {words.percent(first['customers_share'])} of the customers and bring {words.percent(first['spend_share'])} of the spend."
    if "Slipping" in table.index:
        slipping = table.loc["Slipping"]
        text += (
            f" {words.count(slipping['customers'])} customers bought often over the year and have been silent for {words.days(slipping['days_since_last'])} "
            f"(median): they brought {words.money(slipping['spend'], study.dataset.currency)}."
        )
    return text


def explain_segments(study: Study) -> str:
    """What the table leaves out."""
    minimum = study.dataset.privacy.minimum_cell
    text = "Medians are of the customers of the segment."
    if hidden(segment_table(study)["customers"], minimum).any():
        text += f" Segments of fewer than {minimum} customers are not described, nor one from which they could be told."
    return text


def retention_table(study: Study) -> pd.DataFrame:
    """Cohorts by months since the first purchase, shares of the cohort; cohorts below the smallest cell left out."""
    minimum = study.dataset.privacy.minimum_cell
    rows = study.retention()
    rows = rows[rows["size"] >= minimum].assign(cohort=lambda r: pd.to_datetime(r["cohort"]))
    counts = rows.pivot(index="cohort", columns="months_later", values="customers").tail(18)
    if counts.empty:
        return counts
    shares = counts.where(counts >= minimum).div(counts[0], axis=0)
    young_or_small = shares.drop(columns=0).isna().all(axis="columns")
    return shares[~young_or_small].dropna(axis="columns", how="all")


def read_retention(study: Study) -> str:
    """The triangle in a sentence."""
    table = retention_table(study)
    if table.empty or table.shape[1] < 2:
        return "No cohort is old and large enough yet."
    oldest = table.iloc[0].drop(0).dropna()
    first, after = int(oldest.index[0]), int(oldest.index[-1])
    return (
        f"Of the customers who first bought in {table.index[0]:%B %Y}, {words.percent(oldest.iloc[0])} bought {first} month{'s' if first > 1 else ''} later and "
        f"{words.percent(oldest.iloc[-1])} {after} month{'s' if after > 1 else ''} later. Cells and months with fewer than {study.dataset.privacy.minimum_cell} customers are not shown."
    )


def older_than_log(study: Study) -> float:
    """Share of all customers who first appear in the log's first month, where that is three times the next month's; else 0.

    A log that begins in the middle of a shop's life shows its regulars as newcomers of the first month.
    """
    sizes = study.retention().drop_duplicates("cohort")["size"]
    if len(sizes) < 2 or sizes.iloc[0] < 3 * sizes.iloc[1]:
        return 0.0
    return float(sizes.iloc[0] / sizes.sum())


def repurchase(study: Study) -> pd.DataFrame:
    """Share of each period's buyers who bought on more than one day of it; end, share, low, high."""
    return _rates(study.periods(), "repeat_buyers", "buyers")


def churned(study: Study) -> pd.DataFrame:
    """Share of the customers active when a period began who bought nothing in it; end, share, low, high."""
    return _rates(study.periods(), "churned", "at_risk")


def _rates(periods: pd.DataFrame, part: str, whole: str) -> pd.DataFrame:
    intervals = [wilson(p, w) for p, w in zip(periods[part], periods[whole], strict=True)]
    return pd.DataFrame(
        {
            "end": periods["end"],
            "share": periods[part] / periods[whole].where(periods[whole] > 0),
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
        }
    )


def read_rate(
    rates: pd.DataFrame,
    goal: float | None,
    what: str,
    *,
    more_is_better: bool,
    events: pd.DataFrame | None = None,
) -> str:
    """A rate over time in a sentence.

    Parameters
    ----------
    rates : end, share, low, high.
    goal : share of 1, or None.
    what : what the rate is, to stand at the start of the sentence.
    more_is_better : which side of the goal is the good one.
    events : marked in the chart, see `Study.events`.
    """
    now = rates.iloc[-1]
    text = f"{what}: {words.percent(now['share'])} in the last period (90 % interval {words.between(now['low'], now['high'], words.percent)})"
    if len(rates) > 1:
        before = rates.iloc[-2]
        moved = words.moved(now["share"], before["share"], least=0.0005)
        text += (
            f", {moved}"
            + (f" {words.points(words.step(now['share'], before['share']))}" if moved != "unchanged" else "")
            + " on the period before"
        )
    if goal is not None:
        met = now["share"] >= goal if more_is_better else now["share"] <= goal
        text += f"; the goal of {words.percent(goal)} is {'met' if met else 'missed'}"
    return text + "." + marks.read(events, rates["end"].iloc[0], rates["end"].iloc[-1])


def second_purchase(study: Study) -> pd.DataFrame:
    """Share of customers with a second purchase by days since the first, see `models.survival.kaplan_meier`."""
    counted = study.second_purchase()
    return kaplan_meier(counted["elapsed"], counted["returned"], counted["customers"])


def returned_by(curve: pd.DataFrame, day: int) -> pd.Series:
    """The curve's share, low and high on a day."""
    before = curve[curve.index <= day]
    row = before.iloc[-1] if len(before) else pd.Series({"share": 0.0, "low": 0.0, "high": 0.0})
    return row.fillna(row["share"])


def read_second(study: Study) -> str:
    """The curve in a sentence."""
    curve = second_purchase(study)
    month, quarter = returned_by(curve, 30), returned_by(curve, 90)
    half = curve.index[curve["share"] >= 0.5]
    text = (
        f"{words.percent(month['share'])} have come back after 30 days (90 % interval {words.between(month['low'], month['high'], words.percent)}), "
        f"{words.percent(quarter['share'])} after 90"
    )
    return text + (
        f"; half are back after {words.days(half[0])}." if len(half) else "; fewer than half ever do within the log."
    )


def concentration(study: Study) -> pd.DataFrame:
    """Spend by tenth of the customers; tenth, customers, spend, share; empty if a tenth would be too small to be shown."""
    table = study.concentration()
    if len(table) < 10 or table["customers"].min() < study.dataset.privacy.minimum_cell:
        return table.head(0).assign(share=pd.Series(dtype="float64"))
    return table.assign(share=table["spend"] / table["spend"].sum())


def read_concentration(study: Study) -> str:
    """The tenths in a sentence."""
    table = concentration(study)
    if table.empty:
        return "There are too few customers to divide them into tenths."
    two = table["share"].head(2).sum()
    return (
        f"The tenth that spends most, {words.count(table['customers'].iloc[0])} customers, brings {words.percent(table['share'].iloc[0])} of the spend, "
        f"the first two tenths together {words.percent(two)}, and the last five {words.percent(table['share'].tail(5).sum())}."
    )


def worth_of_the_top(study: Study) -> float:
    """Mean spend of a customer of the first tenth over the mean spend of the others."""
    table = concentration(study)
    others = table.iloc[1:]
    return float(
        (table["spend"].iloc[0] / table["customers"].iloc[0]) / (others["spend"].sum() / others["customers"].sum())
    )


def segments_kept(study: Study) -> pd.DataFrame:
    """Segments drawn one horizon ago, and the share of each that bought since; index segment; customers, share, low, high."""
    table = study.segments_holdout()
    table = table[~hidden(table["customers"], study.dataset.privacy.minimum_cell)].set_index("segment")
    table = table.reindex([name for name in SEGMENT_ORDER if name in table.index])
    intervals = [wilson(bought, size) for bought, size in zip(table["bought"], table["customers"], strict=True)]
    return table.assign(
        share=table["bought"] / table["customers"],
        low=[low for low, _ in intervals],
        high=[high for _, high in intervals],
    )


def read_segments_kept(study: Study) -> str:
    """Whether the segments told who would buy, against the rule that treats everyone alike."""
    table = segments_kept(study)
    if table.empty:
        return f"No segment had {study.dataset.privacy.minimum_cell} customers or more."
    average = table["bought"].sum() / table["customers"].sum()
    if average in (0, 1):
        return f"{'Everybody' if average else 'Nobody'} bought since, whatever the segment."
    spread = float(((table["share"] * (1 - table["share"])) * table["customers"]).sum() / table["customers"].sum())
    best, worst = table["share"].idxmax(), table["share"].idxmin()
    alike = [name for name, row in table.iterrows() if row["low"] <= average <= row["high"]]
    text = (
        f"After the segments of {words.day(study.origin(1))} were drawn, {words.percent(table.loc[best, 'share'])} of the {best} bought and "
        f"{words.percent(table.loc[worst, 'share'])} of the {worst}. Knowing the segment takes {words.percent(1 - spread / (average * (1 - average)))} off the "
        f"squared error of the naive forecast that gives everyone the average, {words.percent(average)}."
    )
    return text + (
        f" {words.listed(alike)} {'was' if len(alike) == 1 else 'were'} no different from the average." if alike else ""
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    early = older_than_log(study)
    text = "Segments are relative: a fifth of the customers is always the most recent fifth, in good times and bad."
    if early:
        text += (
            f" {words.percent(early)} of the customers first appear in the log's first month: most of them are not new but older than the log, so the "
            "first row of the triangle and the days to the second purchase show regulars as if they were newcomers."
        )
    return text


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    now, tenths = repurchase(study).iloc[-1], concentration(study)
    text = f"{words.percent(now['share'])} of the buyers of the last {words.days(study.horizon_days)} bought on two days or more"
    if tenths.empty:
        return f"{text}."
    return (
        f"{text}, and a tenth of the customers brings {words.percent(tenths['share'].iloc[0])} of the spend: "
        f"one of them is worth about {words.number(round(worth_of_the_top(study), 1))} of the others."
    )
