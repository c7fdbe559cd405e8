"""Chapter 5, continued: how long customers take, day by day, which campaigns are under their line, and channels."""

import pandas as pd
from great_tables import GT

from ... import notation
from ...study import Study
from .. import marks, tables, words
from .campaign_numbers import is_known, spans, told, total, untold

CURVES_SHOWN = 7
MEASURES = {
    "open_rate": "Opened",
    "redemption_rate": "Redeemed",
    "coupon_sales": "Sales with a coupon, a campaign",
    "contact_cost": "Contact cost, a campaign",
    "order_value": "Order value",
    "coupon_share": "Orders with a coupon",
    "discount_share": "Discount, share of the usual price",
}
MONEY = ("coupon_sales", "contact_cost", "order_value")


# How long it takes


def curves(study: Study, by: str = "type") -> dict[str, pd.DataFrame]:
    """Share who have handed in a coupon by days since the contact, the largest groups that may be told of.

    Parameters
    ----------
    by : type, channel or segment; of those that are not known there are none.
    """
    step, minimum = study.campaigns(), study.dataset.privacy.minimum_cell
    found = step.get("curves" if by == "type" else f"{by}_curves")
    if found is None:
        return {}
    if by in step:
        frame = told(study, by)
        names = frame.index[~frame["few_redeemed"]]
    else:
        names = pd.Index(found["type"].unique() if total(study)["redeemers"] >= minimum else [])
    parts = {name: found[found[by] == name].set_index("day") for name in names[:CURVES_SHOWN]}
    return {name: part for name, part in parts.items() if len(part)}


def read_curves(study: Study, by: str = "type") -> str:
    """How many hand in a coupon in the end, and when half of them have."""
    parts = curves(study, by)
    if not parts:
        return "Too few customers handed in a coupon, or it is not known when."
    return f"{' '.join(_read_curve(name, part) for name, part in parts.items())} {_watched(study)}"


def _read_curve(name: str, curve: pd.DataFrame) -> str:
    last = curve.iloc[-1]
    half = curve.index[curve["share"] >= last["share"] / 2][0]
    span = words.between(last["low"], last["high"], words.percent)
    return f"{name}: {words.percent(last['share'])} after {words.days(curve.index[-1])} (90 % interval {span}), half of them within {words.days(half)}."


def _watched(study: Study) -> str:
    early = (~study.campaigns()["campaign"]["whole"]).any()
    return "Customers of campaigns that still run are watched until the last known day." + (
        " Campaigns that began before the log are left out." if early else ""
    )


# Day by day


def issued(study: Study) -> pd.DataFrame:
    """Contacts by day, see `campaign_numbers.spans`."""
    return spans(study.campaigns()["issued"], study.dataset.privacy.minimum_cell)


def handed_in(study: Study) -> pd.DataFrame:
    """Redemptions by day, days put together until enough customers are in them."""
    return spans(study.campaigns()["handed_in"], study.dataset.privacy.minimum_cell)


def read_days(study: Study) -> str:
    """Issue and redemption in a sentence."""
    sent, back = issued(study), handed_in(study)
    if sent.empty:
        return "Too few customers were contacted to show it by day."
    most = sent.loc[sent["rows"].idxmax()]
    text = f"Most were contacted on {words.day(most['end'])}: {words.count(most['rows'])}."
    if back.empty:
        return text
    peak = back.loc[back["per_day"].idxmax()]
    when = (
        f"on {words.day(peak['start'])}"
        if peak["start"] == peak["end"]
        else f"from {words.day(peak['start'])} to {words.day(peak['end'])}"
    )
    first, last = min(sent["end"].iloc[0], back["start"].iloc[0]), max(sent["end"].iloc[-1], back["end"].iloc[-1])
    return (
        f"{text} Most coupons a day came back {when}, {words.number(peak['per_day'])} a day. "
        f"A step spans as many days as it takes until {study.dataset.privacy.minimum_cell} customers are in it.{marks.read(study.events(), first, last)}"
    )


# Lines


def has_lines(study: Study | None) -> bool:
    """Whether there is a line to hold a campaign against."""
    return is_known(study) and study is not None and not study.campaigns()["stop_loss"].empty


def stop_loss(study: Study) -> GT:
    """Campaigns against their lines, those under it first, as a table."""
    frame = study.campaigns()["stop_loss"].rename(index=str)
    minimum = study.dataset.privacy.minimum_cell
    hide = told(study, "campaign")["few_redeemed"].reindex(frame.index) | frame["redeemed"].between(1, minimum - 1)
    hide |= frame["reached"].between(1, minimum - 1)
    most = (minimum / frame["reached"]).clip(upper=1.0)
    under = hide & frame["redeemed"].between(1, minimum - 1)
    money = ["discount_since", "discount_to_come", "saves"]
    frame[money] = frame[money].astype("float64").where(~hide)
    frame["rate"] = frame["rate"].astype(object).where(~(hide & frame["rate"].notna()), "hidden")
    frame.loc[under, "rate"] = [notation.write(f"under {100 * share:.1f}") for share in most[under]]
    frame["since"] = [tables.write(day, "date").replace(" ", "\N{NO-BREAK SPACE}") for day in frame["since"]]
    frame["days_left"] = frame["days_left"].where(frame["days_left"] > 0)
    currency = study.dataset.currency
    columns: dict[str, tables.Column | str] = {
        "campaign": tables.text("Campaign"),
        "verdict": tables.text("Against its line"),
        "line": tables.percent("Line"),
        "rate": tables.percent("Redemption rate, 90 %", interval=("low", "high")),
        "since": tables.text("Under since"),
        "days_left": tables.days("Days left"),
        "discount_since": tables.money("Discount since", currency),
        "discount_to_come": tables.money("Discount to come", currency),
        "saves": tables.money("Stopping saves", currency),
    }
    shown = {name: column for name, column in columns.items() if name == "campaign" or frame[name].notna().any()}
    after = study.dataset.programme.stop_after_days
    return tables.table(
        frame.reset_index(),
        title="Campaigns against the line at which they are to be stopped",
        columns=shown,
        notes=[
            f"Of those contacted at least {words.days(after)} before; once a campaign is over, of everyone. Under: beyond chance. Not clear: chance may decide."
        ],
    )


def read_stop_loss(study: Study) -> str:
    """Which are under their line, which of them still run, and what stopping them saves."""
    frame = study.campaigns()["stop_loss"].rename(index=str)
    judged = frame[frame["verdict"].isin(["under", "not under", "not clear"])]
    under = frame[frame["verdict"] == "under"]
    text = f"Of {words.count(len(judged))} campaigns that can be judged, {words.count(len(under))} are under their line beyond chance"
    running = under[under["days_left"].fillna(1) > 0]
    text += f" ({words.listed(under.index)})." if 0 < len(under) <= 12 else "."
    if under.empty:
        return text
    if running.empty:
        return f"{text} None of them still runs, so that stopping saves nothing now; the next of their kind is where to look."
    return f"{text} {' '.join(_stopping(study, str(name), row) for name, row in running.iterrows())}"


def _stopping(study: Study, name: str, row: pd.Series) -> str:
    currency = study.dataset.currency
    said = f"Campaign {name} has been under it since {words.day(row['since'])} and still runs"
    if pd.notna(row["saves"]):
        return f"{said}: stopping it saves {words.money(row['saves'], currency)} of contacts and discounts, against which stand the sales it would bring."
    return f"{said}: what stopping saves in contacts is not known, because their cost is not."


# Channels


def has_channels(study: Study | None) -> bool:
    """Whether some customers know two channels."""
    return study is not None and not _paired(study).empty


def _paired(study: Study) -> pd.DataFrame:
    """Pairs of channels on the same customers that may be told of."""
    step, minimum = study.campaigns(), study.dataset.privacy.minimum_cell
    parts = [
        step[name].assign(what=what)
        for name, what in (("contact_channels", "campaigns"), ("purchase_channels", "purchases"))
        if name in step and len(step[name])
    ]
    frame = pd.concat(parts, ignore_index=True) if parts else step["purchase_channels"]
    return frame[frame["customers"] >= minimum]


def channels(study: Study) -> GT:
    """Channels compared on the same customers, as a table."""
    currency = study.dataset.currency
    rows = [
        {
            "pair": f"{row.channel} against {row.other}",
            "measure": MEASURES[row.measure],
            "customers": row.customers,
            "mean": _written(row.measure, row.mean, currency),
            "other_mean": _written(row.measure, row.other_mean, currency),
            "difference": _difference(row, currency),
        }
        for row in _paired(study).itertuples()
    ]
    return tables.table(
        pd.DataFrame(rows),
        title="Channels on the customers who know both",
        columns={
            "pair": tables.text("Channels"),
            "measure": tables.text("Measure"),
            "customers": tables.count("Customers"),
            "mean": tables.text("The first"),
            "other_mean": tables.text("The second"),
            "difference": tables.text("Difference (90 %)"),
        },
        notes=["No effect of a channel: what was sent or bought by which was not left to chance."],
    )


def read_channels(study: Study) -> str:
    """The clearest difference between two channels."""
    frame = _paired(study)
    apart = frame[(frame["low"] > 0) | (frame["high"] < 0)]
    if apart.empty:
        return (
            f"On the same customers no channel differs from another beyond chance, in any of {len(frame)} comparisons."
        )
    row = apart.loc[(apart["difference"].abs() / (apart["high"] - apart["low"])).idxmax()]
    currency = study.dataset.currency
    return (
        f"On the same customers, {len(apart)} of {len(frame)} comparisons differ beyond chance. Clearest: {MEASURES[row['measure']].lower()} is "
        f"{_written(row['measure'], row['mean'], currency)} by {row['channel']} and {_written(row['measure'], row['other_mean'], currency)} by {row['other']}."
    )


def _written(measure: str, value: float, currency: str) -> str:
    return words.money(value, currency) if measure in MONEY else words.percent(value)


def _difference(row: object, currency: str) -> str:
    measure, middle, low, high = (getattr(row, name) for name in ("measure", "difference", "low", "high"))
    told_ = _written(measure, middle, currency)
    return (
        told_ if pd.isna(low) else f"{told_} ({words.between(low, high, lambda end: _written(measure, end, currency))})"
    )


def knows_redemptions(study: Study | None) -> bool:
    """Whether there are redemptions to look at over time."""
    return is_known(study) and study is not None and not untold(study)
