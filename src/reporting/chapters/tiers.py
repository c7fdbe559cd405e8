"""Chapter 6, the tiers: who has which, who moves, and who is near the next."""

import pandas as pd
from great_tables import GT

from ...models.metrics import wilson
from ...programme.assumed_tiers import SHARES_BELOW
from ...study import Study
from .. import marks, tables, words
from ..privacy import suppress
from .tier_numbers import (
    WITHOUT,
    about,
    amount,
    called,
    has_tiers,
    holders,
    lead,
    levels,
    move_counts,
    moves,
    note,
    titled,
)

__all__ = [
    "has_months", "has_moves", "has_tiers", "limits", "meeting", "months", "moves", "near", "note", "opening",
    "read_months", "read_moves", "read_near", "read_sizes", "rules", "sizes",
]  # fmt: skip

PERIODS = {"year": "calendar year", "quarter": "calendar quarter", "month": "calendar month"}
LACKING = {
    "points": "Its tiers are reached by points, of which there is no table: `[points]` would bring one, and tiers by `spend` need none.",
    "programme.tiers": "Nobody paid anything in the last year, so that there is not even a spend to assume tiers on. Tiers are told under `[programme]`.",
}


def opening(study: Study) -> str:
    """The answer of the page on tiers."""
    if not has_tiers(study):
        return _untold(study)
    first = ""
    if about(study)["assumed"]:
        first = f"{lead(study)}{study.dataset.title} names no tiers, so assumed ones are replayed on its log. "
    return first + _top(study)


def _untold(study: Study) -> str:
    facts = about(study)
    if facts["known"]:
        return f"Fewer than {study.dataset.privacy.minimum_cell} customers bought lately, too few to tell of tiers."
    return f"Of tiers nothing can be told. {LACKING[facts['lacking']]}"


def _top(study: Study) -> str:
    """How many have the highest tier, and what they bring."""
    facts, table = about(study), holders(study)
    total, last = int(table["raw"].sum()), table.index[-1]
    from_ = f"{last}, from {amount(study, facts['rules']['thresholds'][-1])} on,"
    since = f"who bought in the last {words.days(facts['reach_days'])}"
    row = table.loc[last]
    if pd.isna(row["customers"]):
        return f"{from_} has too few of the {words.count(total)} customers {since} to tell of."
    return (
        f"{from_} has {words.count(row['customers'])} of the {words.count(total)} customers {since} ({words.percent(row['share'])}), "
        f"and they brought {words.percent(row['share_of_spend'])} of the spend."
    )


# The rules


def rules(study: Study) -> str:
    """The rules in words, and which of them are assumed."""
    facts = about(study)
    said, names = facts["rules"], facts["rules"]["names"]
    parts = words.listed(
        f"{name} from {amount(study, threshold)}" for name, threshold in zip(names, said["thresholds"], strict=True)
    )
    counted = "spent, net of returns," if said["by"] == "spend" else "earned"
    period = (
        f"within {words.days(said['days'])}" if said["period"] == "rolling" else f"within a {PERIODS[said['period']]}"
    )
    text = f"{lead(study)}{parts}, {counted} {period}. {_kept(study)} {_given(study)}"
    if not facts["assumed"]:
        return text
    return (
        f"{text} All of this is assumed: the thresholds are round numbers near the spend that {words.listed(map(words.percent, SHARES_BELOW))} of the buyers stay below. "
        "Your own tiers go under `[programme]` in the dataset file."
    )


def _kept(study: Study) -> str:
    said = about(study)["rules"]
    grace = [words.days(said["grace_days"])] if said["grace_days"] else []
    if said["grace_periods"]:
        grace.insert(
            0, f"{said['grace_periods']} more {PERIODS[said['period']]}{'s' if said['grace_periods'] > 1 else ''}"
        )
    until = "while it is reached" if said["period"] == "rolling" else "to the end of that period"
    kept = f"A tier is had from the day on which it is reached, {until}"
    kept += f" and for {words.listed(grace)} after that" if grace else ""
    after = "the next lower one for one more period" if said["downgrade"] == "step" else "the one that is still reached"
    return f"{kept}; then comes {after}."


def _given(study: Study) -> str:
    facts = about(study)
    shares = facts["share_of_spend"]
    given = words.listed(
        f"{words.percent(share)} in {name}" for name, share in zip(facts["rules"]["names"], shares, strict=True)
    )
    text = f"Of what is bought in a tier it gives back {given}"
    if facts["assumed"] or not facts["benefits_assumed"]:
        return f"{text}."
    return (
        f"{text}: that much is assumed, for the dataset file does not say what the tiers give "
        "(`tier_multipliers` and `cost_per_point` under `[programme.points]`)."
    )


# Who has which tier


def sizes(study: Study) -> GT:
    """Customers and spend by tier now, and customers before, as a table."""
    facts, minimum, currency = about(study), study.dataset.privacy.minimum_cell, study.dataset.currency
    frame = _in_cells(study, "now", minimum)
    columns = {
        "tier": tables.text("Tier"),
        "customers": tables.count("Customers"),
        "share": tables.percent("Share of customers"),
        "spend": tables.money("Spend", currency),
        "share_of_spend": tables.percent("Share of spend"),
    }
    if facts["before"]:
        earlier = _in_cells(study, "before", minimum).set_index("tier")
        frame["customers_before"] = earlier["customers"].reindex(frame["tier"]).to_numpy()
        frame["share_before"] = earlier["share"].reindex(frame["tier"]).to_numpy()
        columns["customers_before"] = tables.count(f"Customers {_ago(facts)}")
        columns["share_before"] = tables.percent(f"Share {_ago(facts)}")
    return tables.table(
        frame,
        title=titled(study, "Customers and their spend by tier"),
        columns=columns,
        notes=f"Customers who bought in the {words.days(facts['reach_days'])} before, or have a tier. Spend: of those days, net of returns.",
    )


def _in_cells(study: Study, when: str, minimum: int) -> pd.DataFrame:
    """`holders` with words where there is no number to show."""
    frame = holders(study, when).reset_index()
    cells = suppress(frame[["tier", "raw"]], "raw", minimum)
    return frame.assign(customers=cells["raw"])


def _ago(facts: dict[str, object]) -> str:
    return "a year ago" if facts["apart_days"] == 365 else f"{facts['apart_days']} days ago"


def read_sizes(study: Study) -> str:
    """Who has a tier, and how that changed."""
    facts = about(study)
    text = f"{lead(study)}{_top(study)}"
    if not facts["before"]:
        return f"{text} The log is too short to tell of an earlier date: its tiers are known from {words.day(facts['known_from'])} on."
    now, earlier = (_with_tier(study, when) for when in ("now", "before"))
    return f"{text} {words.percent(now)} of the customers have a tier, {words.percent(earlier)} had one {_ago(facts)}."


def _with_tier(study: Study, when: str) -> float:
    raw = holders(study, when)["raw"]
    return float(1 - raw[WITHOUT] / raw.sum()) if raw.sum() else float("nan")


def has_months(study: Study) -> bool:
    """Whether there are two ends of months or more at which the tiers are known."""
    return has_tiers(study) and len(months(study)) > 1


def months(study: Study) -> pd.DataFrame:
    """Share of the customers in each tier at the ends of months; index end, columns tiers; missing where too few."""
    if "over_time" not in study.tiers():
        return pd.DataFrame(columns=levels(study))
    frame = study.tiers()["over_time"]
    counts = frame.assign(tier=called(frame["tier"])).pivot(index="end", columns="tier", values="customers")
    counts = counts[levels(study)]
    cells = [suppress(row.to_frame("n"), "n", study.dataset.privacy.minimum_cell)["n"] for _, row in counts.iterrows()]
    told = pd.DataFrame(cells, index=counts.index).apply(pd.to_numeric, errors="coerce")
    return told.div(counts.sum(axis="columns").where(lambda total: total > 0), axis="index")


def read_months(study: Study) -> str:
    """How the share of customers with a tier moved, and on how many customers."""
    frame = study.tiers()["over_time"]
    totals = frame.groupby("end")["customers"].sum()
    without = frame[frame["tier"] == frame["tier"].iloc[0]].set_index("end")["customers"]
    with_tier = 1 - without / totals.where(totals > 0)
    first, last = totals.index[0], totals.index[-1]
    return (
        f"{lead(study)}On {words.day(first)} {words.percent(with_tier[first])} of {words.count(totals[first])} customers had a tier, on {words.day(last)} "
        f"{words.percent(with_tier[last])} of {words.count(totals[last])}. Everyone is counted, so that these shares have no error; a share also rises when customers without a tier stay away."
        + marks.read(study.events(), first, last)
    )


# Who moves


def has_moves(study: Study) -> bool:
    """Whether tiers are known at two dates."""
    return has_tiers(study) and about(study)["before"] is not None


def read_moves(study: Study) -> str:
    """How many kept the highest tier, and how many went up and down."""
    facts, counts = about(study), move_counts(study)
    ups = sum(int(counts.iloc[row, row + 1 :].sum()) for row in range(1, len(counts)))
    downs = sum(int(counts.iloc[row, :row].sum()) for row in range(1, len(counts)))
    below_top, everyone = int(counts.iloc[1:-1].sum().sum()), int(counts.iloc[1:].sum().sum())
    minimum = study.dataset.privacy.minimum_cell
    if everyone < minimum:
        return f"{lead(study)}Fewer than {minimum} customers had a tier {_ago(facts)}, too few to tell of."
    parts = [
        f"{_share(hits, of)} {what}"
        for hits, of, what in ((downs, everyone, "of those with a tier have a lower one or none now"), (ups, below_top, "of those who could rise have a higher one"))
        if of >= minimum and not 0 < hits < minimum
    ]  # fmt: skip
    top, kept = counts.index[-1], moves(study).iloc[-1, -1]
    text = f"{lead(study)}Since {words.day(facts['before'])}, {words.listed(parts)}. " if parts else lead(study)
    if pd.isna(kept):
        return text.strip().removesuffix(":") or f"Too few customers had {top} to tell of."
    hits, of = int(counts.iloc[-1, -1]), int(counts.iloc[-1].sum())
    return f"{text}Of those who had {top}, {_share(hits, of)} have it still."


def _share(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{words.percent(hits / of)} (90 % interval {words.between(low, high, words.percent)})"


def near(study: Study) -> GT:
    """Customers one usual purchase below the next tier, as a table."""
    frame, minimum = study.tiers()["near"], study.dataset.privacy.minimum_cell
    cells = frame.astype({"customers": object, "near": object})
    # Neither count adds up to one that is told.
    for name in ("near", "customers"):
        few = frame[name].between(1, minimum - 1)
        cells.loc[few, name] = f"<{minimum}"
        cells.loc[few, ["share", "low", "high", "missing"]] = None
    by_points = about(study)["rules"]["by"] == "points"
    missing = "Half of them lack no more than"
    return tables.table(
        cells,
        title=titled(study, "Customers one usual purchase below the next tier"),
        columns={
            "next_tier": tables.text("Next tier"),
            "customers": tables.count("On their way"),
            "near": tables.count("One purchase away"),
            "share": tables.percent("Share, 90 %", interval=("low", "high")),
            "missing": tables.number(missing, unit="points")
            if by_points
            else tables.money(missing, study.dataset.currency),
        },
        notes="On their way: with something in the qualifying period, and in the tier below. One purchase away: what is missing is no more than the customer's own median purchase day.",
    )


def read_near(study: Study) -> str:
    """Where a small push reaches most."""
    frame = study.tiers()["near"]
    told = frame[frame["near"] >= study.dataset.privacy.minimum_cell]
    if told.empty:
        return f"{lead(study)}Too few customers are one usual purchase below a tier to tell of."
    parts = [
        f"{words.count(row.near)} below {row.next_tier}, half of whom lack {_lacked(study, row.missing)} or less"
        for row in told.itertuples()
    ]
    return f"{lead(study)}One usual purchase away are {words.listed(parts)}. To remind them of it costs little; whether it makes them buy, only a held-out group would tell."


def _lacked(study: Study, value: float) -> str:
    if about(study)["rules"]["by"] == "points":
        return f"{words.number(value)} points"
    return words.money(value, study.dataset.currency)


# In short


def limits(study: Study) -> str:
    """Where this chapter fails."""
    facts = about(study)
    text = f"{lead(study)}A replay lets everyone buy as they did. Whether customers buy more to reach a tier, and what a tier does to those who have it, it cannot tell; for that some must be held out by chance."
    if facts["assumed"]:
        text += " These tiers never were: nobody knew of them, and nobody could act on them."
    elif facts["benefits_assumed"]:
        text += " What the tiers give is assumed, and with it every cost."
    if facts["rules"]["downgrade"] == "step":
        text += " Tiers that were reached before the log and lost step by step are not seen."
    return f"{text} Tiers are told from {words.day(facts['known_from'])} on; before it the log does not hold a whole qualifying period."


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    if not has_tiers(study):
        return _untold(study)
    frame = study.tiers()["near"]
    told = frame[frame["near"] >= study.dataset.privacy.minimum_cell]
    if told.empty:
        return f"{lead(study)}{_top(study)}"
    row = told.iloc[-1]
    return f"{lead(study)}{_top(study).removesuffix('.')}; {words.count(row['near'])} more are one usual purchase below {row['next_tier']}."
