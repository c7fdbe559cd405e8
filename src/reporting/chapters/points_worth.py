"""Chapter 6, points continued: what they will cost, how sure that is, and what other rules would have done."""

import numpy as np
import pandas as pd
from great_tables import GT

from ...study import Study
from .. import tables, words
from .points_numbers import about, begun, cost_of, interval, is_known, note

METHODS = {"chain-ladder": "Chain-ladder", "survival": "Survival"}
SPANS = {name: (f"{name}_low", f"{name}_high") for name in ("points", "money", "rate", "breakage")}


def has_liability(study: Study) -> bool:
    """Whether it can be told what the points will cost."""
    return is_known(study) and not about(study)["refused"]


def why_not(study: Study) -> str:
    """Why nothing is said of what the points will cost."""
    return f"What will be redeemed cannot be told yet: {words.told(about(study)['refused'].removeprefix('points: '))}."


def has_cost(study: Study) -> bool:
    """Whether it is known what a point costs."""
    return cost_of(study) is not None


def liability(study: Study) -> pd.DataFrame:
    """What will be redeemed by each method, see `balances.points`, with breakage and its interval; index name."""
    frame = study.points()["liability"]
    lost = {
        "breakage": 1 - frame["rate"],
        "breakage_low": 1 - frame["rate_high"],
        "breakage_high": 1 - frame["rate_low"],
    }
    name = frame["method"].map(METHODS) + np.where(frame["bound"].astype("bool"), ", at least", "")
    return frame.assign(**lost).set_index(name.rename("name"))


def is_bound(study: Study) -> bool:
    """Whether points last longer than any has been seen, so that only the least that they cost is known."""
    return bool(study.points()["liability"]["bound"].any())


def there(study: Study) -> float:
    """Points that can be spent at the as-of date."""
    told = about(study)["totals"]
    return float(told["outstanding"] - told["pending"])


def methods(study: Study) -> GT:
    """Both methods, as a table."""
    currency = study.dataset.currency
    columns: dict[str, tables.Column | str] = {
        "name": tables.text("Method"),
        "points": tables.Column(label="Points still to be redeemed, 90 %", kind="count", interval=SPANS["points"]),
        "money": tables.money("Liability, 90 %", currency, interval=SPANS["money"]),
        "rate": tables.percent("Redeemed in the end, 90 %", interval=SPANS["rate"]),
        "breakage": tables.percent("Breakage, 90 %", interval=SPANS["breakage"]),
    }
    if not has_cost(study):
        columns.pop("money")
    notes = [
        f"Of {words.count(there(study))} points that can be spent. Redeemed in the end: of all that was ever issued; breakage is the rest, what returns took back too.",
        *(
            [
                "At least: ages that no point has reached yet are in no number; the upper end is every point that is there."
            ]
            * is_bound(study)
        ),
        note(study).capitalize(),
    ]
    return tables.table(liability(study).reset_index(), title="What the points will cost", columns=columns, notes=notes)


def read_liability(study: Study) -> str:
    """What is still to be redeemed by both methods, and why they differ."""
    frame = liability(study)
    told = " ".join(_method(study, str(name), row) for name, row in frame.iterrows())
    return begun(
        study,
        f"Of {words.count(there(study))} points that can be spent, so many are still to be redeemed. {told} {_apart(frame)}",
    )


def _method(study: Study, name: str, row: pd.Series) -> str:
    money = (
        f", {words.money(row['money'], study.dataset.currency)} "
        f"({words.between(row['money_low'], row['money_high'], lambda end: words.money(end, study.dataset.currency))})"
        if has_cost(study)
        else ""
    )
    ends = words.between(row["points_low"], row["points_high"], words.whole)
    share = words.between(row["breakage_low"], row["breakage_high"], words.percent)
    return (
        f"{name}: {words.whole(row['points'])} (90 % interval {ends}){money}; "
        f"{words.percent(row['breakage'])} ({share}) of all points issued lapse or are taken back."
    )


def _apart(frame: pd.DataFrame) -> str:
    """Whether the methods agree, and what each believes."""
    if frame["bound"].any():
        return (
            "Points last longer than the log is: what is redeemed at ages that none has reached is not in this number, which is the least, and the upper end is every point there is. "
            "There is no second method, for chain-ladder would have to have seen points until their end."
        )
    lows, highs = frame["points_low"], frame["points_high"]
    apart = lows.max() > highs.min()
    belief = (
        "Chain-ladder expects young points to go on from what they have brought so far, in the proportion of older ones; "
        "survival expects of every point that is left what points of its age have done."
    )
    if not apart:
        return f"Their intervals overlap. {belief}"
    higher = frame["points"].idxmax()
    return (
        f"They differ by more than their errors, {str(higher).lower()} being the higher: points of late are not used as those of earlier months were, "
        f"and each method takes that otherwise. {belief} Book neither without looking at the stress table."
    )


def stress(study: Study) -> GT:
    """What the points cost if it comes otherwise, as a table."""
    currency = study.dataset.currency
    frame = study.points()["stress"].assign(case=lambda table: table["case"].str.capitalize())
    columns: dict[str, tables.Column | str] = {
        "case": tables.text("If"),
        "points": tables.count("Points redeemed"),
        "share": tables.percent("Share of those there"),
        "money": tables.money("Cost", currency),
        "change": tables.money("Against the first row", currency),
    }
    if not has_cost(study):
        columns = {name: column for name, column in columns.items() if name not in ("money", "change")}
    by = METHODS[about(study)["trusted"]].lower()
    first = "At ages seen so far, and its low end" if is_bound(study) else "Expected, low and high end"
    notes = [f"{first}: by {by}, 90 %.", note(study).capitalize()]
    return tables.table(frame, title="What if it comes otherwise", columns=columns, notes=notes)


def read_stress(study: Study) -> str:
    """The range from the low end to everything."""
    frame, currency = study.points()["stress"].set_index("case"), study.dataset.currency
    column, write = (
        ("money", lambda value: words.money(value, currency)) if has_cost(study) else ("points", words.whole)
    )
    low, most = frame[column]["low end"], frame[column]["everything is redeemed"]
    unit = "" if has_cost(study) else " points"
    if is_bound(study):
        rest = write(frame[column]["half of the rest is redeemed too"])
        return begun(
            study,
            f"Customers will use {write(low)}{unit} at the very least, {rest}{unit} if half of what is not redeemed at ages seen so far is redeemed later, and {write(most)}{unit} if every point is used.",
        )
    half = frame[column]["half of what would lapse is redeemed"]
    return begun(
        study,
        f"Customers will use {write(low)}{unit} at the low end, and {write(most)}{unit} if every point is used, which a closure or a rumour of one can bring; "
        f"if a reminder saved half of what would lapse, {write(half)}{unit}.",
    )


def read_cost(study: Study) -> str:
    """What an issued point costs on average."""
    cost = cost_of(study)
    if cost is None:
        return begun(
            study, "What a point costs is not known (`programme.points.cost_per_point`), so that nothing here is money."
        )
    told = " or ".join(
        f"{words.number(cost * row['rate'])} ({words.between(cost * row['rate_low'], cost * row['rate_high'], words.number)}; {str(name).lower()})"
        for name, row in liability(study).iterrows()
    )
    per_unit, currency = about(study)["rules"]["per_unit"], study.dataset.currency
    return begun(
        study,
        f"A point costs {words.number(cost)} {currency} when it is redeemed; as some never are, an issued one costs {told}, in {currency}. "
        f"A purchase of 100 {currency} earns {words.number(100 * per_unit)} points before multipliers.",
    )


# Other rules


def has_changes(study: Study) -> bool:
    """Whether other rules can be replayed."""
    return is_known(study) and len(study.points()["changes"]) > 0


def changes(study: Study) -> GT:
    """What other rules would have made of the same purchases, as a table."""
    frame = study.points()["changes"]
    frame = frame.assign(name=[_named(study, row) for _, row in frame.iterrows()])
    columns: dict[str, tables.Column | str] = {
        "name": tables.text("Rules"),
        "issued": tables.count("Issued"),
        "redeemed": tables.count("Redeemed"),
        "expired": tables.count("Expired"),
        "clawed_back": tables.count("Taken back"),
        "outstanding": tables.count("Left"),
        "cost": tables.money("Cost of the redeemed", study.dataset.currency),
    }
    if not has_cost(study):
        columns.pop("cost")
    notes = [
        "The same purchases and the same customers: nobody is taken to buy more, or less, for it.",
        *(
            [
                "The first row is a replay of these rules too, and may differ from the ledger, which is the account above."
            ]
            * (about(study)["source"] == "own")
        ),
        note(study).capitalize(),
    ]
    return tables.table(frame, title="What other rules would have done", columns=columns, notes=notes)


def _named(study: Study, row: pd.Series) -> str:
    if row["change"] == "none":
        return "As they are"
    if row["change"] == "more points":
        grown = (
            ", redemptions grow alike"
            if row["wishes"] == "more"
            else ", the same redemptions"
            if about(study)["source"] == "own"
            else ""
        )
        return f"{words.number(row['per_unit'])} points for each {study.dataset.currency}{grown}"
    months, days = row["expiry_months"], row["expiry_days"]
    return f"Expiry after {words.count(months)} months" if pd.notna(months) else f"Expiry after {words.days(days)}"


def read_changes(study: Study) -> str:
    """What each change does to what is redeemed and expires."""
    frame = study.points()["changes"]
    base, others = frame.iloc[0], frame.iloc[1:]
    told = " ".join(f"{_named(study, row)}: {_change(study, base, row)}." for _, row in others.iterrows())
    own = (
        " What customers would have redeemed of more points, or of points that last longer, their ledger does not tell: the two rows with more points are likely ends."
        if about(study)["source"] == "own"
        else ""
    )
    return begun(
        study,
        f"{told}{own} A change pays only if it brings purchases, which only a trial tells; this is what it costs without.",
    )


def _change(study: Study, base: pd.Series, row: pd.Series) -> str:
    redeemed = row["redeemed"] - base["redeemed"]
    expired = row["expired"] - base["expired"]
    cost = (
        f" ({words.money(abs(row['cost'] - base['cost']), study.dataset.currency)})"
        if has_cost(study) and redeemed
        else ""
    )
    more = (
        f"{words.count(abs(redeemed))} points {'more' if redeemed > 0 else 'fewer'}{cost} are redeemed"
        if redeemed
        else "no more are redeemed"
    )
    lost = f"{words.count(abs(expired))} {'more' if expired > 0 else 'fewer'} expire" if expired else "as many expire"
    return f"{more}, {lost}"


# Closing


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    if not is_known(study):
        return "What our points do we cannot say yet: bring the ledger, or the rules."
    facts = about(study)
    used = facts["use"]
    share = used["matured"] or used["share"]
    left = words.count(facts["totals"]["outstanding"])
    if not has_liability(study) or not has_cost(study):
        return begun(study, f"{interval(share)} of our points are redeemed, and {left} are still there.")
    frame, currency = liability(study), study.dataset.currency
    ends = words.between(frame["money_low"].min(), frame["money_high"].max(), lambda end: words.money(end, currency))
    return begun(
        study,
        f"{interval(share)} of our points are redeemed; the {left} that are still there will cost us {ends}, {'as far as is known yet' if is_bound(study) else 'whichever method is right'}.",
    )
