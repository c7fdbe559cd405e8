"""Chapter 5, continued: what sales with a coupon were, and whether campaigns paid."""

from dataclasses import replace

import pandas as pd
from great_tables import GT

from ...effects_earned import LONG
from ...programme.cannibalisation import AFTER, Cannibalisation
from ...programme.profit_and_loss import LINES, ProfitAndLoss
from ...programme.whole_programme import programme
from ...study import Study
from .. import tables, words
from .effect_numbers import (
    about,
    accounts,
    because,
    cash,
    cash_between,
    group,
    observed,
    splits,
    whole,
)

PARTS = {
    "incremental": "Would not have been bought",
    "pulled_forward": "Would have been bought in the weeks after",
    "subsidised": "Would have been bought anyway",
}
UNDONE = "not over"
"""Part of every refusal of what is not all known yet."""
WIDEST = 0.8
"""Width of an interval of a share above which it says next to nothing."""
COSTS_WANTED = {
    "discount": "what coupons took off (`transactions.coupon`, or `redemptions.amount`)",
    "contact": "what a contact costs (`campaigns.contact_cost`)",
    "points": "what the points given for these sales cost",
}


# Sales with a coupon


def has_splits(study: Study | None) -> bool:
    """Whether the sales with a coupon of some campaign can be split."""
    return study is not None and any(_enough(study, each) for each in splits(study))


def _enough(study: Study, each: Cannibalisation) -> bool:
    """Whether a split says something, of enough customers."""
    if not each.identified or each.customers < study.dataset.privacy.minimum_cell:
        return False
    anyway = each.frame().set_index("part").loc["subsidised"]
    return bool(anyway["share_high"] - anyway["share_low"] <= WIDEST)


def split(study: Study) -> GT:
    """What the sales with a coupon were, as a table."""
    rows = []
    for each in splits(study):
        if not _enough(study, each):
            continue
        row: dict[str, object] = {"name": each.what, "redeemed": each.redeemed}
        for part in each.frame().itertuples():
            row |= {part.part: part.share, f"{part.part}_low": part.share_low, f"{part.part}_high": part.share_high}
        rows.append(row)
    columns: dict[str, tables.Column | str] = {
        "name": tables.text("Campaigns"),
        "redeemed": tables.money("Sales with a coupon", study.dataset.currency),
    }
    columns |= {part: tables.percent(label, interval=(f"{part}_low", f"{part}_high")) for part, label in PARTS.items()}
    return tables.table(
        pd.DataFrame(rows),
        title="What the sales with a coupon were (90 % intervals in brackets)",
        columns=columns,
        notes=_split_notes([each for each in splits(study) if _enough(study, each)]),
    )


def _split_notes(shown: list[Cannibalisation]) -> list[str]:
    """Over which weeks it is read, and who and which campaigns were not measured."""
    said = {
        "Each campaign over all weeks in which it ran (to its last coupon where its end is not known), and as many after it, at least four, as far as the log holds them.": "",
        "Those with nobody like them are taken to have responded as the others did.": "measured on",
        "Campaigns without four known weeks after their end are left out.": "are left out",
        "Not all coupons match a line of the log: sales with a coupon are at least these, and so is what would have been bought anyway.": "the lines are known",
    }
    return [sentence for sentence, part in said.items() if any(part in note for each in shown for note in each.notes)]


def read_split(study: Study) -> str:
    """The largest split in words, and of which campaigns there is none."""
    found = splits(study)
    if not found:
        return "How much of the sales with a coupon would have come anyway cannot be told: that takes what coupons took off each line (`transactions.coupon`) and an effect to hold it against."
    told = [each for each in found if _enough(study, each)]
    lost: dict[str, list[str]] = {}
    for each in found:
        if not each.identified:
            lost.setdefault(because(each.refusals[:1]), []).append(each.what)
    untold = "".join(f" Of {words.listed(names)} there is no split: {why}." for why, names in lost.items())
    vague = [each.what for each in found if each.identified and each not in told]
    if vague:
        untold = (
            f" What {words.listed(vague)} changed is too uncertain for a split: nearly any share is possible.{untold}"
        )
    if not told:
        return f"How much of the sales with a coupon would have come anyway cannot be told.{untold}"
    each = max(told, key=lambda one: one.redeemed)
    table = each.frame().set_index("part")
    anyway, more = table.loc["subsidised"], table.loc["incremental"]
    return (
        f"{each.what}: of {cash(each.redeemed, study)} with a coupon {words.percent(anyway['share'])} would have been bought anyway "
        f"(90 % interval {words.between(anyway['share_low'], anyway['share_high'], words.percent)}) and {words.percent(more['share'])} not at all "
        f"({words.between(more['share_low'], more['share_high'], words.percent)}). {' '.join(each.bounds)}{untold}"
    ).replace("  ", " ")


# Did it pay?


def has_accounts(study: Study | None) -> bool:
    """Whether some campaign's account can be told."""
    return study is not None and any(_told(study, each) for each in accounts(study))


def _told(study: Study, each: ProfitAndLoss) -> bool:
    return each.identified and each.customers >= study.dataset.privacy.minimum_cell


def account(study: Study) -> GT:
    """What campaigns earned, as a table; it stops at the margin where a cost is not known."""
    every = whole(study)
    rows = [*_earlier(study), *accounts(study), *_single(study), *([every] if every else [])]
    shown = [each for each in rows if _told(study, each)]
    profits = any(each.profit for each in shown)
    currency = study.dataset.currency
    spans = {name: (f"{name}_low", f"{name}_high") for name in ("sales", "margin", "profit")}
    columns: dict[str, tables.Column | str] = {
        "what": tables.text("Campaigns"),
        "customers": tables.count("Contacts"),
        "sales": tables.money("Sales caused (90 %)", currency, interval=spans["sales"]),
        "margin": tables.money("Margin on them (90 %)", currency, interval=spans["margin"]),
        "discount": tables.money("Discount", currency),
    }
    if profits:
        columns |= {
            "spent": tables.money("All costs", currency),
            "profit": tables.money("Profit (90 %)", currency, interval=spans["profit"]),
            "chance": tables.percent("Chance of a profit"),
        }
    share = words.percent(study.dataset.study.margin)
    margin = f"Margin: {share} (`study.margin`), before discounts and costs."
    if all(each.profit for each in shown):
        # The margin on the way to a profit only makes the table wide.
        del columns["margin"]
        margin = f"Profit: {share} of them (`study.margin`), less all costs, discounts among these."
    return tables.table(
        pd.DataFrame([_account_row(each) for each in shown]),
        title="What campaigns earned",
        columns=columns,
        notes=[
            f"Sales caused: at usual prices, before discounts, of all who were contacted{_taken(shown)}. {margin}",
            *_bounds(study, shown),
            *_apart(study, shown),
        ],
    )


def _bounds(study: Study, shown: list[ProfitAndLoss]) -> list[str]:
    """What is not all that it should be: discounts known in part, campaigns longer than their effect."""
    said = []
    if part := [each for each in shown if each.at_most]:
        known = words.percent(min(each.discount_share for each in part))
        said.append(
            f"Discounts of {words.listed(each.what for each in part)} are at least these, for of as few as {known} of the coupons it is known what they took off: a profit is at most this, and so is its chance."
        )
    if any(note.endswith(LONG) for each in shown for note in each.notes):
        said.append(
            f"Of campaigns of more than {words.days(about(study)['days'])} sales are counted in all weeks in which they ran, and in the {AFTER} after."
        )
    return said


def _earlier(study: Study) -> list[ProfitAndLoss]:
    """Campaigns with a control group that are not looked at one by one, as one row; empty where there are none."""
    found = accounts(study, "earlier_accounts")
    return [programme(found, what=f"{words.count(len(found))} earlier, with a control group")] if found else []


def _single(study: Study) -> list[ProfitAndLoss]:
    """Campaigns to chosen customers that are looked at one by one, named with the group that they are part of."""
    summed = {each.what for each in accounts(study)}
    groups = [group(study, name) for name in observed(study, "type", "all") if name in summed]
    found = []
    for each in accounts(study, "single_accounts"):
        own = group(study, each.what)["compared"]
        part = next((one["name"] for one in groups if set(own) <= set(one["compared"])), "")
        found.append(replace(each, what=f"{each.what} ({part})" if part else each.what))
    return found


def _apart(study: Study, shown: list[ProfitAndLoss]) -> list[str]:
    """Which rows are no parts of the sum."""
    parts = {each.what for each in _single(study)} - {each.what for each in accounts(study, "single_accounts")}
    if not parts & {each.what for each in shown}:
        return []
    return ["A campaign with another name in brackets is part of that, and not summed by itself."]


def _taken(shown: list[ProfitAndLoss]) -> str:
    """Who was not measured, and is taken to have responded alike."""
    part = any("was measured on" in note for each in shown for note in each.notes)
    return "; those with nobody like them are taken to have responded as the others did" if part else ""


def _account_row(each: ProfitAndLoss) -> dict[str, object]:
    row: dict[str, object] = {"what": each.what, "customers": each.customers, "discount": each.costs.discount}
    found = {"sales": each.sales_at_usual_prices, "margin": each.incremental_margin, "profit": each.profit}
    for name, interval in found.items():
        ends = (None, None, None) if interval is None else (interval.estimate, interval.low, interval.high)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return row | {"spent": each.costs.total, "chance": each.probability_positive}


def read_account(study: Study) -> str:
    """Whether it paid, or what is missing to say so."""
    found = accounts(study)
    if not found:
        return "Whether campaigns paid cannot be told: that takes their effect on spend, what they took off, and what a contact costs."
    told = [each for each in found if _told(study, each)]
    if not told:
        return f"Whether these campaigns paid cannot be told: {because(found[0].refusals[:1])}. No effect, no account."
    every = whole(study)
    last = every if every is not None and _told(study, every) else max(told, key=lambda each: each.customers)
    running = [each.what for each in found if any(UNDONE in why for why in each.refusals)]
    lost = [each.what for each in found if not each.identified and each.what not in running]
    untold = f" Left out, because what they caused is not identified: {words.listed(lost)}." if lost else ""
    untold += f" Too early for an account: {words.listed(running)}." if running else ""
    return f"{_profit_told(study, last)}{untold}"


def _profit_told(study: Study, each: ProfitAndLoss) -> str:
    margin = each.incremental_margin
    if margin is None:
        return ""
    most = "at most " if each.at_most else ""
    if each.profit is not None:
        why = " What some coupons took off is not known, and would come off too." if each.at_most else ""
        return (
            f"{each.what} earned {most}{cash(each.profit.estimate, study)} after all costs (90 % interval {cash_between(each.profit, study)}), "
            f"a profit with a chance of {most}{words.percent(each.probability_positive or 0.0)}.{why}"
        )
    lacking = words.listed(COSTS_WANTED[name] for name in each.missing)
    doubt = ", which holds zero" if margin.holds(0.0) else ""
    least = "at least " if each.at_most else ""
    given = f", against {least}{cash(each.costs.discount, study)} given off" if each.costs.discount is not None else ""
    return (
        f"{each.what} brought a margin of {cash(margin.estimate, study)} (90 % interval {cash_between(margin, study)}{doubt}){given}. "
        f"The account stops there: {words.listed(LINES[name].lower() for name in each.missing)} {'is' if len(each.missing) == 1 else 'are'} not known. It would take {lacking}."
    )


def limits(study: Study) -> str:
    """Where effects fail."""
    if not about(study)["known"]:
        return ""
    return (
        f"Effects are those of {words.days(about(study)['days'])}: what came later is not in them, and a purchase only made earlier looks like one more. "
        "Of many effects one in ten leaves out zero by chance alone."
    )
