"""Chapter 6, the tiers continued: what their customers did, whether thresholds press, and what other tiers would cost."""

import numpy as np
import pandas as pd
from great_tables import GT

from ... import notation
from ...memberships import MORE, STEP
from ...schema import SCENARIOS
from ...study import Study
from .. import tables, words
from ..privacy import suppress
from .tier_numbers import about, amount, called, has_tiers, lead, titled

POINT = f"by {words.number(100 * MORE)} point{'' if MORE == 0.01 else 's'}"
"""By how much benefits are raised in a replay, of the spend in a tier."""

# What they were worth


def has_worth(study: Study) -> bool:
    """Whether tiers are known a horizon ago, so that what came after can be told."""
    return has_tiers(study) and "worth" in study.tiers()


def worth(study: Study) -> GT:
    """Churn, spend and margin by tier in the last horizon, as a table."""
    minimum, currency = study.dataset.privacy.minimum_cell, study.dataset.currency
    frame = study.tiers()["worth"]
    cells = suppress(frame.assign(tier=called(frame["tier"])), "customers", minimum)
    cells["churned"] = [_churned(row, minimum) for _, row in frame.assign(shown=cells["churned"]).iterrows()]
    return tables.table(
        cells,
        title=titled(study, f"What became of each tier in the {words.days(study.horizon_days)} after {words.day(study.origin(1))}"),
        columns={
            "tier": tables.text("Tier then"),
            "customers": tables.count("Active customers"),
            "churned": tables.percent("Left, 90 %", interval=("churned_low", "churned_high")),
            "spend": tables.money("Spend each, 90 %", currency, interval=("spend_low", "spend_high")),
            "worth": tables.money("Margin each, 90 %", currency, interval=("worth_low", "worth_high")),
        },
        notes="Differences between tiers are no effect of a tier: tiers hold those who bought much.",
    )  # fmt: skip


def _churned(row: pd.Series, minimum: int) -> object:
    """A share that few left, or all but few, as a bound."""
    if pd.isna(row["shown"]):
        return row["shown"]
    left = row["churned"] * row["customers"]
    if 0 < round(left) < minimum:
        return notation.write(f"under {100 * minimum / row['customers']:.1f}")
    if 0 < round(row["customers"] - left) < minimum:
        return notation.write(f"over {100 * (1 - minimum / row['customers']):.1f}")
    return row["shown"]


def read_worth(study: Study) -> str:
    """The lowest against the highest group that may be told of, as it is."""
    minimum = study.dataset.privacy.minimum_cell
    frame = study.tiers()["worth"]
    shown = suppress(frame.assign(tier=called(frame["tier"])), "customers", minimum)
    told = shown[shown["spend"].notna()]
    if len(told) < 2:
        return f"{lead(study)}Too few active customers had a tier to compare them."
    low, high = told.iloc[0], told.iloc[-1]
    spent = words.listed(
        f"{words.money(row['spend'], study.dataset.currency)} ({words.between(row['spend_low'], row['spend_high'], lambda end: words.money(end, study.dataset.currency))}) with {row['tier']}"
        for row in (high, low)
    )
    return (
        f"{lead(study)}In the {words.days(study.horizon_days)} after {words.day(study.origin(1))} active customers spent {spent} on average (90 % intervals). "
        "This is no effect of the tiers: they hold those who bought much before, and these would buy more without any tier."
    )


# Whether thresholds press


def has_bunching(study: Study) -> bool:
    """Whether the test says something at any threshold."""
    return has_tiers(study) and bool((study.tiers()["bunching"]["refusal"] == "").any())


def bunching(study: Study) -> dict[str, pd.DataFrame]:
    """Customers around each threshold at which the test says something, see `tier_figures.bunching`.

    Windows of few customers are missing.
    """
    step = study.tiers()
    told = step["bunching"].loc[step["bunching"]["refusal"] == ""]
    parts = {}
    for row in told.itertuples():
        windows = step["windows"][step["windows"]["tier"] == row.tier].reset_index(drop=True)
        few = windows["customers"].between(1, study.dataset.privacy.minimum_cell - 1)
        parts[f"{row.tier}, {amount(study, row.threshold)}"] = windows.assign(customers=windows["customers"].mask(few))
    return parts


def read_bunching(study: Study) -> str:
    """What lies just above each threshold, in sentences."""
    table, assumed = study.tiers()["bunching"], about(study)["assumed"]
    told = table[table["refusal"] == ""]
    clear = told["clear"] & (not assumed)
    doubtful = ~clear & (told["above_low"] > 0)
    parts = [
        *(_pressed(row) for _, row in told[clear].iterrows()),
        *(_doubted(row, assumed=assumed) for _, row in told[doubtful].iterrows()),
        _nothing(told[~clear & ~doubtful]),
        *(f"{row['tier']}: {row['refusal']}" for _, row in table[table["refusal"] != ""].iterrows()),
    ]
    if (told["above_low"] > 0).any():
        parts.append("By chance alone one threshold in twenty shows as much.")
    text = " ".join(filter(None, parts))
    if not assumed:
        return text
    return f"{lead(study)}Nobody knew of these thresholds, so nobody can have bought to reach them: whatever shows is chance, or prices. {text}"


def _more(row: pd.Series) -> str:
    more = "more" if row["above"] >= 0 else "fewer"
    return f"{words.percent(abs(row['above']))} {more} ({words.between(row['above_low'], row['above_high'], words.percent)})"


def _pressed(row: pd.Series) -> str:
    gained = f"{words.whole(row['customers'])} customers ({words.between(row['customers_low'], row['customers_high'], words.whole)})"
    return f"Just above the threshold of {row['tier']} lie {_more(row)} customers than a smooth curve has: about {gained} bought to reach it or to keep it (90 % intervals)."


def _doubted(row: pd.Series, *, assumed: bool) -> str:
    said = (
        f"Just above the threshold of {row['tier']} lie {_more(row)} customers than a smooth curve has (90 % interval)"
    )
    failed = int(row["placebos"] - row["passed"])
    if assumed or not failed:
        return f"{said}."
    return f"{said}; but the same test finds something at {failed} of {int(row['placebos'])} thresholds that do not exist, so that it proves nothing."


def _nothing(rows: pd.DataFrame) -> str:
    """Thresholds without a sign of pressure, in one sentence."""
    if rows.empty:
        return ""
    several = "s" if len(rows) > 1 else ""
    return (
        f"Just above the threshold{several} of {words.listed(rows['tier'])} nothing shows that customers buy to reach {'them' if several else 'it'}: there lie "
        f"{words.listed(_more(row) for _, row in rows.iterrows())} customers than a smooth curve has (90 % interval{several})."
    )


# Other tiers


def has_simulator(study: Study) -> bool:
    """Whether the log is long enough to replay other tiers."""
    return has_tiers(study) and "replays" in study.tiers()


def simulator(study: Study) -> GT:
    """Other thresholds and benefits on the same purchases, as a table."""
    currency, days = study.dataset.currency, about(study)["replayed_days"]
    frame = _scenarios(study)
    return tables.table(
        frame,
        title=titled(study, f"Other tiers replayed on the last {words.days(days)}"),
        columns={
            "what": tables.text("What if"),
            "up": tables.count("In a higher tier now"),
            "down": tables.count("In a lower one"),
            "gainers": tables.count("Would have got more"),
            "losers": tables.count("Would have got less"),
            "extra_cost": tables.money("Benefits cost more by", currency),
            "needed": tables.text("Must lift to pay"),
        },
        notes=[
            f"At present the tiers give back {words.money(study.tiers()['replays']['present_cost'].iloc[0], currency)} in these days. Everyone buys as they did.",
            f"Must lift to pay: by how much those who get more must buy more, or how much less those who get less may buy, at a margin of {words.percent(study.dataset.study.margin)}; the 90 % interval takes the customers as a sample.",
        ],
    )


def _scenarios(study: Study) -> pd.DataFrame:
    """One row a replay; counts and money of few customers are taken out."""
    step, minimum = study.tiers(), study.dataset.privacy.minimum_cell
    frame = step["replays"].assign(what=[_what(study, scenario) for scenario in about(study)["scenarios"]])
    order = {name: at for at, name in enumerate(["none", *about(study)["rules"]["names"]])}
    moves = step["moves"]
    rise = moves["after"].map(order) - moves["before"].map(order)
    for name, side in (("up", rise > 0), ("down", rise < 0)):
        frame[name] = frame["scenario"].map(moves[side].groupby("scenario")["customers"].sum()).fillna(0)
    few = frame["gainers"].between(1, minimum - 1) | frame["losers"].between(1, minimum - 1)
    frame["needed"] = [_needed(study, row) for _, row in frame.iterrows()]
    for name in ("up", "down", "gainers", "losers"):
        frame[name] = [f"<{minimum}" if 0 < value < minimum else int(value) for value in frame[name]]
    # Both sides make up the cost, and one of them that is small may stay in it where the other is not.
    alone = few & (step["replays"][["gainers", "losers"]].max(axis="columns") < minimum)
    frame["extra_cost"] = frame["extra_cost"].mask(alone)
    return frame


def _what(study: Study, scenario: dict[str, object]) -> str:
    thresholds = words.listed(amount(study, float(value)) for value in _floats(scenario["thresholds"]))
    if scenario["name"] == "richer":
        return f"Benefits higher {POINT}: {words.listed(map(words.percent, _floats(scenario['share_of_spend'])))}"
    if scenario["name"] not in SCENARIOS:
        return f"{scenario['name']}, thresholds {thresholds}"
    return f"Thresholds {words.percent(STEP)} {scenario['name']}: {thresholds}"


def _floats(values: object) -> list[float]:
    return [float(value) for value in values] if isinstance(values, list) else []


def _needed(study: Study, row: pd.Series) -> str:
    """The lift, or the loss that is still no loss, with its interval."""
    minimum = study.dataset.privacy.minimum_cell
    parts = [
        f"{words.percent(row[name])} {what} ({words.between(row[f'{name}_low'], row[f'{name}_high'], words.percent)})"
        if np.isfinite(row[name])
        else "no lift pays"
        for name, side, what in (("lift", "gainers", "more"), ("loss", "losers", "less"))
        if row[side] >= minimum
    ]
    return "; ".join(parts) or words.NOTHING


def read_simulator(study: Study) -> str:
    """What each change would have cost, and what it must bring."""
    currency, minimum = study.dataset.currency, study.dataset.privacy.minimum_cell
    parts = [_told(row, minimum, currency) for _, row in study.tiers()["replays"].iterrows()]
    return f"{lead(study)}{' '.join(filter(None, parts))} Whether customers would buy that much more or less, a replay cannot say."


def _told(row: pd.Series, minimum: int, currency: str) -> str:
    opener = {
        "lower": f"With thresholds {words.percent(STEP)} lower",
        "higher": f"With thresholds {words.percent(STEP)} higher",
        "richer": f"With benefits higher {POINT}",
    }.get(row["scenario"], f"With {row['scenario']}")
    # Of a scenario of the dataset file the side on which more customers are is told; the table has both.
    asked = row["scenario"] not in SCENARIOS
    if row["scenario"] == "higher" or (asked and row["losers"] > row["gainers"]):
        if row["losers"] < minimum:
            return f"{opener} too few customers would have got less to tell of."
        return (
            f"{opener} {words.count(row['losers'])} customers would have got less, which saves {words.money(row['losers_saving'], currency)}; "
            f"that is gone if they buy {_spread(row, 'loss')} less."
        )
    if row["gainers"] < minimum:
        return f"{opener} too few customers would have got more to tell of."
    pays = (
        f"to pay, they must buy {_spread(row, 'lift')} more"
        if np.isfinite(row["lift"])
        else "no lift pays for it, for each further purchase would cost more than it earns"
    )
    return f"{opener} {words.count(row['gainers'])} customers would have got {words.money(row['gainers_cost'], currency)} more; {pays}."


def _spread(row: pd.Series, name: str) -> str:
    return f"{words.percent(row[name])} (90 % interval {words.between(row[f'{name}_low'], row[f'{name}_high'], words.percent)})"
