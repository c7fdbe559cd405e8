"""Chapter 5: what campaigns did, as it was. What they changed is another question, which no sentence here answers."""

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import tables, words
from .campaign_numbers import (
    UNKNOWN,
    about,
    extremes,
    in_cells,
    is_known,
    lacks,
    matched_share,
    rate,
    told,
    total,
    untold,
)

ROWS_SHOWN = 60
ROWS_DRAWN = 30
NAMES = {"type": "Type", "channel": "Channel", "segment": "Segment before", "campaign": "Campaign"}
WANTED = {
    "contacts": "which customer was sent which campaign, and who was held out on purpose (`[contacts]`)",
    "redemptions": "which coupons were handed in (`[redemptions]`): without it there is no redemption rate",
    "transactions.coupon": "what coupons took off each line (`transactions.coupon`): without it no sales with a coupon",
    "coupons": "which product a coupon is good for (`[coupons]`): without it nobody knows who bought it anyway",
    "opens": "who opened or viewed a message (`contacts.opened`, or `[opens]`)",
    "campaigns.contact_cost": "what a contact costs (`campaigns.contact_cost`): without it there is no balance of costs",
    "campaigns.type": "the type of a campaign (`campaigns.type`)",
    "campaigns.channel": "how customers were reached (`campaigns.channel`, or `contacts.sent_by`)",
}
LEFT_OUT = {
    "unknown_coupon": "of a coupon that belongs to no such campaign",
    "both_arms": "by customers who were both sent the campaign and held out of it",
    "held_out": "by customers who were held out",
    "no_contact": "by customers who were not sent the campaign",
    "outside_window": "before the contact or outside the campaign's days",
}


# Measured


def has(study: Study | None, by: str) -> bool:
    """Whether measures by type, channel, segment or campaign are known."""
    return study is not None and by in study.campaigns()


def measures(study: Study, by: str) -> GT:
    """What campaigns did, by type, channel or segment, as a table."""
    frame = told(study, by).rename_axis("name").reset_index()
    return _table(
        study, frame, by, f"What campaigns did, by {'segment before the campaign' if by == 'segment' else by}"
    )


def campaigns(study: Study) -> GT:
    """What each campaign did, as a table, the latest last."""
    frame = told(study, "campaign").rename_axis("name").reset_index().tail(ROWS_SHOWN)
    frame["days"] = [
        f"{_day(row.start)}\N{NO-BREAK SPACE}– {_day(row.end)}{' (runs)' if row.running else ''}"
        if pd.notna(row.end)
        else f"from {_day(row.start)}"
        for row in frame.itertuples()
    ]
    return _table(study, frame, "campaign", "What each campaign did")


def _day(value: pd.Timestamp) -> str:
    """A date that is not broken over two lines."""
    return tables.write(value, "date").replace(" ", "\N{NO-BREAK SPACE}")


def _table(study: Study, frame: pd.DataFrame, by: str, title: str) -> GT:
    currency, minimum = study.dataset.currency, study.dataset.privacy.minimum_cell
    spans = {name: (f"{name}_low", f"{name}_high") for name in ("open_rate", "redemption_rate", "bought_before_share")}
    columns: dict[str, tables.Column | str] = {
        "name": tables.text(NAMES[by]),
        "type": tables.text("Type"),
        "days": tables.text("Days"),
        "reached": tables.count("Reached"),
        "open_rate": tables.percent("Opened, 90 %", interval=spans["open_rate"]),
        "redeemed": tables.count("Redeemed"),
        "redemption_rate": tables.percent("Redemption rate, 90 %", interval=spans["redemption_rate"]),
        "discount": tables.money("Discount", currency),
        "contact_cost": tables.money("Contact cost", currency),
        "coupon_sales": tables.money("Sales with a coupon", currency),
        "baskets": tables.count("Baskets with one"),
        "bought_before_share": tables.percent("Bought before, 90 %", interval=spans["bought_before_share"]),
    }
    # What is told of no row is not a column but a sentence, see `missing`.
    shown = {name: column for name, column in columns.items() if name in frame and frame[name].notna().any()}
    if by == "campaign" and "type" not in study.campaigns():
        shown.pop("type", None)
    return tables.table(in_cells(frame, minimum), title=title, columns=shown, notes=_notes(study, frame))


def _notes(study: Study, frame: pd.DataFrame) -> list[str]:
    """What must be known to read the columns."""
    notes = ["Reached: customers, once for each campaign that they were sent."]
    if frame["few_redeemed"].any():
        notes.append(
            f"Nothing is told of fewer than {study.dataset.privacy.minimum_cell} customers, nor of a row that would give them away."
        )
    if frame["bought_before_share"].notna().any():
        notes.append(
            f"Bought before: share of the coupons for a product that the customer had bought in the {about(study)['anyway_days']} days before the contact."
        )
    return notes


def read_measures(study: Study, by: str) -> str:
    """The best and the worst row, and whether their intervals lie apart."""
    if why := untold(study):
        return why
    ranked = extremes(told(study, by))
    if ranked.empty:
        return f"Too few customers handed in a coupon to tell of any {by}."
    best = ranked.iloc[0]
    if len(ranked) == 1:
        return f"Of {by} {best.name}, {rate(best)} of those reached handed in a coupon."
    worst = ranked.iloc[1]
    apart = best["redemption_rate_low"] > worst["redemption_rate_high"]
    verdict = "more than chance makes" if apart else "which may be chance"
    return (
        f"Coupons of {_named(by, best)} came back most surely, {rate(best)}; those of {_named(by, worst)} least, {rate(worst)}: {verdict}."
        + (" It says how willing these customers were, not what a campaign did to them." if by == "segment" else "")
    )


def _named(by: str, row: pd.Series) -> str:
    return f"campaign {row.name}" if by == "campaign" else str(row.name)


def rates(study: Study) -> pd.DataFrame:
    """Redemption rates of the latest campaigns that may be told of, see `campaign_figures.rates`."""
    frame = told(study, "campaign").tail(ROWS_DRAWN)
    return frame[frame["redemption_rate"].notna() | frame["most"].notna()]


def line(study: Study) -> float | None:
    """The line at which a campaign is to be stopped, if it is one for all."""
    programme = study.dataset.programme
    return None if programme.stop_redemption_of else programme.stop_redemption_below


def read_money(study: Study) -> str:
    """What was given off and sold with coupons, and how much of it the log shows."""
    if why := untold(study):
        return why
    row, currency = total(study), study.dataset.currency
    given = f"{words.count(row['redemptions'])} coupons were handed in and took {words.money(row['discount'], currency)} off"
    if lacks(study, "transactions.coupon"):
        return f"{given}. What was sold with them the log does not tell (`transactions.coupon`)."
    sold = (
        f"{given}; the lines that they were used on brought {words.money(row['coupon_sales'], currency)}, in "
        f"{words.count(row['baskets'])} baskets worth {words.money(row['basket_sales'], currency)} in all."
    )
    share = matched_share(study)
    if not share < 1:
        return sold
    bounds = "Sales and baskets" if about(study)["discount_told"] else "Discounts, sales and baskets"
    return f"{sold} Only {words.percent(share)} of the coupons match a line with a coupon in the log. {bounds} are therefore lower bounds."


def read_anyway(study: Study) -> str:
    """How many redemptions were of something that the customer bought anyway."""
    if why := untold(study):
        return why
    row, days = total(study), about(study)["anyway_days"]
    if not row["judged_before"] > 0:
        return f"It is not known: that takes coupons whose products are known (`[coupons]`), and {days} days of the log before a campaign."
    return (
        f"Of {words.count(row['judged_before'])} coupons of which it is known, {rate(row, 'bought_before_share')} were for a product that the customer had bought in the "
        f"{days} days before the contact. Most of these sales would have come without the coupon; some customers may have bought more or earlier, which this share does not tell."
    )


# What is not known, and what is not said


def missing(study: Study) -> str:
    """What the dataset file could say and does not, and what cannot be told for it."""
    lacking = [WANTED[name] for name in about(study)["lacking"]]
    told_ = [f"- Not known: {part}." for part in lacking]
    if is_known(study) and not about(study)["dated"]:
        told_.append(
            "- The contacts have no day of their own (`contacts.time`): each counts as of the campaign's first day, and the days to redeem are counted from there."
        )
    return "\n".join(told_) or "Nothing that this page asks for is missing."


def read_left_out(study: Study) -> str:
    """Rows that count for nothing, and why."""
    minimum, facts = study.dataset.privacy.minimum_cell, about(study)
    rows = [
        f"- {_at_least(number, minimum)} redemptions {LEFT_OUT[reason]}."
        for reason, number in facts["left_out"].items()
    ]
    if facts["both_arms"]:
        rows.append(
            f"- {_at_least(facts['both_arms'], minimum)} customers of a campaign who were both sent it and held out: which is true is not known."
        )
    if rows:
        return "\n".join(rows)
    if untold(study):
        return "Nothing is left out."
    return f"Nothing is left out: all {words.count(total(study)['redemptions'])} redemptions are of a coupon of a campaign that the customer had been sent, on a day on which it ran."


def _at_least(number: int, minimum: int) -> str:
    return words.count(number) if number >= minimum else f"Fewer than {minimum}"


def not_an_effect(study: Study) -> str:
    """Why no difference between customers with and without a campaign is shown."""
    held = about(study)["held_out"]
    basis = (
        f"{words.count(held)} customers were held out of a campaign on purpose: against them an effect can be told."
        if held
        else "Nobody was held out by chance, so an effect can only be told where customers with and without the campaign were alike before."
    )
    return f"{_chosen(study)} Their purchases against those of all others would show who was chosen, not what a campaign did; that difference is no effect. {basis}"


def _chosen(study: Study) -> str:
    """How those who were sent campaigns differ from all customers."""
    if "segment" not in study.campaigns():
        return "Who is sent a campaign is chosen."
    reached = told(study, "segment")["reached"].drop(UNKNOWN, errors="ignore").dropna()
    everyone = study.segments().set_index("segment")["customers"]
    if reached.empty or reached.idxmax() not in everyone.index:
        return "Who is sent a campaign is chosen."
    most = reached.idxmax()
    return (
        f"Who is sent a campaign is chosen: {most} are {words.percent(reached[most] / total(study)['reached'])} of those reached and "
        f"{words.percent(everyone[most] / everyone.sum())} of the last year's customers."
    )


# What the next one needs


def has_desk(study: Study | None) -> bool:
    """Whether the log is long enough to say what a campaign needs."""
    return study is not None and about(study)["desk"] is not None


def hold_outs(study: Study) -> pd.DataFrame:
    """Least effects by the share held out, see `programme.design.by_hold_out`."""
    return pd.DataFrame(about(study)["desk"]["by_hold_out"])


def needed_in_short(study: Study) -> str:
    """What the next campaign needs, in a sentence."""
    desk, currency = about(study)["desk"], study.dataset.currency
    least = desk["least_effect"]["cuped"]
    return (
        f"If {words.percent(desk['hold_out'])} of the {words.count(desk['customers'])} active customers were held out, a campaign would show an effect on spend from "
        f"{words.money(least, currency)} a customer on ({words.percent(least / desk['variation']['mean'])} of what one spends in {words.days(desk['days'])})."
    )


def read_needed(study: Study) -> str:
    """What the next campaign needs, and what the past is worth."""
    desk, currency = about(study)["desk"], study.dataset.currency
    return (
        f"{needed_in_short(study)} Without what is known of the customers from before it takes {words.money(desk['least_effect']['plain'], currency)}. "
        f"Measured on how these customers differed after {words.listed(words.day(day) for day in desk['dates'])}, whatever they had been sent; "
        f"an effect that is there shows in {100 * desk['power']:.0f} of 100 such campaigns. `loyalty design` answers it for other sizes."
    )
