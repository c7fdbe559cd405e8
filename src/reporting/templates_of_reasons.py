"""What can be said of a customer's features: each template takes a feature frame and a currency and gives sentences.

Columns may be missing from the frame, and values from the columns; a sentence that needs one is then null, or a plainer
one. All of them work on whole columns at once.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from .words import count, money, number, percent

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = {"morning": "in the morning", "midday": "at midday", "evening": "in the evening", "night": "at night"}
FAVOURITE = 0.4
"""Share of purchase days from which on one weekday, or time of day, is the customer's own."""


def rhythm(known: pd.DataFrame, currency: str) -> pd.Series:
    """How long the customer has been silent, against the usual."""
    silent, gap, longest = (_numbers(known, name) for name in ("days_since_last", "gap_mean", "gap_longest"))
    usual = _each(
        gap, lambda value: "usually buys every day" if value < 1.5 else f"usually buys every {value:.0f} days"
    )
    at_most = _each(longest, lambda value: f"has stayed away for up to {_days(value)} before")
    return _first(
        usual + _each(silent, lambda value: f", silent for {value:.0f}"),
        at_most + _each(silent, lambda value: f", silent for {value:.0f}"),
        _each(silent, lambda value: f"last bought {_days(value)} ago"),
        usual,
    )


def regularity(known: pd.DataFrame, currency: str) -> pd.Series:
    """How even the rhythm is: the spread of the gaps against their mean, 1 if purchases come at random."""
    spread = _numbers(known, "gap_cv").fillna(_numbers(known, "gap_sd") / _numbers(known, "gap_mean"))
    even = _classes(
        spread,
        (0.35, 0.8, 1.3),
        (
            "comes like clockwork",
            "comes fairly regularly",
            "comes at irregular intervals",
            "comes in bursts with long gaps",
        ),
    )
    return even.fillna("has bought too seldom to have a rhythm")


def tenure(known: pd.DataFrame, currency: str) -> pd.Series:
    """How long the customer has been one."""
    first, recency = _numbers(known, "T"), _numbers(known, "recency")
    return _first(
        _each(first, lambda value: f"first bought {_days(value)} ago"),
        _each(recency, lambda value: f"bought over a span of {_days(value)}"),
    )


def often(known: pd.DataFrame, currency: str) -> pd.Series:
    """How many purchases, lately and in all."""
    days, orders = _longest(known, "purchase_days", 90), _longest(known, "orders", 90)
    return _first(
        _each(
            _numbers(known, f"purchase_days_{days}"),
            lambda value: _so_often("bought on", value, "day", days),
        ),
        _each(
            _numbers(known, f"orders_{orders}"),
            lambda value: _so_often("placed", value, "order", orders),
        ),
        _each(_numbers(known, "frequency"), lambda value: f"has bought on {_plural(value + 1, 'day')} so far"),
    )


def _so_often(did: str, count: float, unit: str, length: int) -> str:
    if count < 1:
        return f"bought nothing in the last {length} days"
    return f"{did} {_plural(count, unit)} in the last {length} days"


def spend(known: pd.DataFrame, currency: str) -> pd.Series:
    """Spend in the last quarter, or what there is of one."""
    length = _longest(known, "spend", 90)
    amounts = _numbers(known, f"spend_{length}")
    return _each(amounts, lambda value: f"{_spent(value, currency)} in the last {length} days")


def spend_a_day(known: pd.DataFrame, currency: str) -> pd.Series:
    """What a visit is worth, and whether the last one was worth as much."""
    mean, last = _numbers(known, "spend_per_day").fillna(_numbers(known, "monetary_value")), "last_against_mean"
    usual = _each(mean, lambda value: f"spends about {_amount(value, currency)} on a day of purchase")
    lately = _classes(
        _numbers(known, last), (0.5, 1.5), (", less than half of it the last time", "", ", more the last time")
    )
    alone = _each(_numbers(known, last), lambda value: f"spent {percent(value)} of the usual the last time")
    return _first(usual + lately.fillna(""), alone)


def trend(known: pd.DataFrame, currency: str) -> pd.Series:
    """Spend of a recent period against the one before."""
    lengths = sorted(_lengths(known, "spend_trend"))
    periods = [_against_before(_numbers(known, f"spend_trend_{length}"), length) for length in lengths]
    slope = _classes(
        _numbers(known, "spend_slope"),
        (-1e-9, 1e-9),
        ("spends less from month to month", "spends the same from month to month", "spends more from month to month"),
    )
    return _first(*periods, slope)


def _against_before(share: pd.Series, length: int) -> pd.Series:
    """Words for the share of two periods' spend that fell in the later one."""
    period, before = f"in the last {length} days", f"than in the {length} before"

    def told(value: float) -> str:
        if value <= 0:
            return f"spent nothing {period}, but did in the {length} before"
        if value >= 1:
            return f"spends again {period}, after nothing in the {length} before"
        change = value / (1 - value) - 1
        if abs(change) < 0.1:
            return f"spends as much {period} as in the {length} before"
        if change > 1:
            return f"spent {number(round(1 + change, 1))} times as much {period} as in the {length} before"
        return f"spent {abs(change):.0%} {'more' if change > 0 else 'less'} {period} {before}".replace("%", " %")

    return _each(share, told)


def baskets(known: pd.DataFrame, currency: str) -> pd.Series:
    """How much is bought at once."""
    lines, orders = _numbers(known, "lines_per_day"), _numbers(known, "orders_per_day")
    return _first(
        _each(lines, lambda value: f"takes about {_plural(max(round(value), 1), 'item')} on a day of purchase"),
        _each(orders, lambda value: f"makes about {_about(value, 'order')} on a day of purchase"),
    )


def discounts(known: pd.DataFrame, currency: str) -> pd.Series:
    """How much is bought at a reduced price."""
    price, coupon = _numbers(known, "discount_share"), _numbers(known, "coupon_share")
    off = _each(
        price,
        lambda v: "pays the full price" if v < 0.005 else f"pays {percent(round(v, 2))} less than the shelf price",
    )
    used = _each(
        coupon, lambda v: "uses no coupons" if v <= 0 else f"uses coupons on {percent(round(v, 2))} of days of purchase"
    )
    return _first(off + ", " + used, off, used)


def returns(known: pd.DataFrame, currency: str) -> pd.Series:
    """How much is brought back."""
    days, share = _numbers(known, "return_days"), _numbers(known, "returned_share")
    often = _each(
        days, lambda v: "has never given anything back" if v < 1 else f"gave something back on {_plural(v, 'day')}"
    )
    much = _each(
        share, lambda v: "has never given anything back" if v <= 0 else f"gave back {percent(v)} of what was paid"
    )
    return _first(often, much)


def weekdays(known: pd.DataFrame, currency: str) -> pd.Series:
    """The day on which the customer shops."""
    names = {f"{day}_share": f"shops mostly on {day.capitalize()}s" for day in WEEKDAYS}
    return _favourite(known, names, "shops on different days of the week")


def time_of_day(known: pd.DataFrame, currency: str) -> pd.Series:
    """The time at which the customer shops."""
    names = {f"{part}_share": f"shops mostly {words}" for part, words in HOURS.items()}
    return _favourite(known, names, "shops at different times of the day")


def second(known: pd.DataFrame, currency: str) -> pd.Series:
    """Whether, and how soon, the customer came again after the first purchase."""
    came, days = _numbers(known, "second_purchase"), _numbers(known, "days_to_second")
    ratio = _numbers(known, "second_against_first")
    return _first(
        _each(days, lambda value: f"came a second time after {_days(value)}"),
        _each(came, lambda value: "came a second time" if value else "has not come a second time"),
        _each(ratio, lambda value: f"spent {percent(value)} of the first amount the second time"),
    )


def last_year(known: pd.DataFrame, currency: str) -> pd.Series:
    """What the customer did in the same weeks a year before."""
    days, amount = _numbers(known, "purchase_days_last_year"), _numbers(known, "spend_last_year")
    period = "in the same weeks last year"
    return _first(
        _each(days, lambda v: f"bought nothing {period}" if v < 1 else f"bought on {_plural(v, 'day')} {period}"),
        _each(amount, lambda value: f"{_spent(value, currency)} {period}"),
    )


def breadth(known: pd.DataFrame, currency: str) -> pd.Series:
    """How many kinds of product."""
    recent, ever = _numbers(known, "categories_90"), _numbers(known, "categories")
    favourite = _numbers(known, "favourite_category_share")
    width = _classes(_numbers(known, "category_entropy"), (0.7, 1.6), ("buys few", "buys several", "buys many"))
    return _first(
        _each(recent, lambda value: f"bought from {_plural(value, 'kind')} of product in the last 90 days"),
        _each(ever, lambda value: f"has bought from {_plural(value, 'kind')} of product so far"),
        _each(favourite, lambda value: f"spends {percent(round(value, 2))} on one kind of product"),
        width + " kinds of product",
    )


def stores(known: pd.DataFrame, currency: str) -> pd.Series:
    """How many stores."""
    different, favourite = _numbers(known, "stores"), _numbers(known, "favourite_store_share")
    return _first(
        _each(different, lambda value: f"has shopped in {_plural(value, 'store')}"),
        _each(favourite, lambda value: f"spends {percent(round(value, 2))} in one store"),
    )


def channels(known: pd.DataFrame, currency: str) -> pd.Series:
    """How many channels."""
    return _first(
        _each(_numbers(known, "channels"), lambda value: f"shops through {_plural(value, 'channel')}"),
        _each(
            _numbers(known, "omnichannel"),
            lambda v: "shops through several channels" if v else "shops through 1 channel",
        ),
    )


def campaigns(known: pd.DataFrame, currency: str) -> pd.Series:
    """What the customer was sent."""
    recent, ever = _numbers(known, "contacts_90"), _numbers(known, "contacts")
    since, rate = _numbers(known, "days_since_contact"), _numbers(known, "contact_rate")
    return _first(
        _each(recent, lambda value: f"received {_plural(value, 'campaign')} in the last 90 days"),
        _each(ever, lambda value: f"received {_plural(value, 'campaign')} so far"),
        _each(since, lambda value: f"last received a campaign {_days(value)} ago"),
        _each(rate, lambda value: f"receives about {_about(value, 'campaign')} in 30 days"),
    )


def coupons(known: pd.DataFrame, currency: str) -> pd.Series:
    """What became of the coupons."""
    recent, ever = _numbers(known, "redemptions_90"), _numbers(known, "redemptions")
    since, rate = _numbers(known, "days_since_redemption"), _numbers(known, "redemption_rate")
    return _first(
        _each(recent, lambda value: f"handed in {_plural(value, 'coupon')} in the last 90 days"),
        _each(ever, lambda value: f"handed in {_plural(value, 'coupon')} so far"),
        _each(since, lambda value: f"last handed in a coupon {_days(value)} ago"),
        _each(rate, lambda value: f"hands in {_about(value, 'coupon')} a campaign"),
    )


def points(known: pd.DataFrame, currency: str) -> pd.Series:
    """What lies on the account, and when it last moved."""
    balance, since = _numbers(known, "points_balance"), _numbers(known, "days_since_points")
    earned, spent = _numbers(known, "points_earned_90"), _numbers(known, "points_spent_90")
    held = _each(balance, lambda value: f"has {count(value)} points".replace("-", "−"))
    moved = _each(since, lambda value: f"last earned or used points {_days(value)} ago")
    return _first(
        held + ", " + moved,
        held,
        moved,
        _each(earned, lambda value: f"earned {count(value)} points in the last 90 days"),
        _each(spent, lambda value: f"used {count(value)} points in the last 90 days"),
        _each(_numbers(known, "points_used_share"), lambda value: f"has used {percent(value)} of the points earned"),
    )


def tier(known: pd.DataFrame, currency: str) -> pd.Series:
    """Where the customer stands in the programme."""
    level, missing, counted = (_numbers(known, name) for name in ("tier", "to_next_tier", "qualifying_spend"))
    stands = _each(level, lambda value: "is below the first tier" if value < 1 else f"is in tier {value:.0f}")
    lacks = _each(missing, lambda value: f"lacks {_amount(value, currency)} for the next tier")
    return _first(
        stands + ", " + lacks,
        stands,
        lacks,
        _each(counted, lambda value: f"has spent {_amount(value, currency)} that counts for the tier"),
    )


def joined(known: pd.DataFrame, currency: str) -> pd.Series:
    """How long the customer has been in the programme."""
    since = _numbers(known, "days_since_joined")
    return _each(since, lambda v: f"joined the programme {_days(v)} ago").fillna(
        "day of joining the programme not known"
    )


def age(known: pd.DataFrame, currency: str) -> pd.Series:
    """How old the customer is."""
    return _each(_numbers(known, "age"), lambda value: f"is {value:.0f} years old").fillna("age not known")


def attribute(column: str, label: str) -> Callable[[pd.DataFrame, str], pd.Series]:
    """Template for an attribute of customers."""

    def told(known: pd.DataFrame, currency: str) -> pd.Series:
        if column not in known:
            return _nothing(known)
        return (f"{label}: " + known[column].astype("str")).where(known[column].notna(), f"{label} not known")

    return told


def _numbers(known: pd.DataFrame, name: str) -> pd.Series:
    """A column as numbers, missing throughout where the frame lacks it."""
    return known[name].astype("float64") if name in known else pd.Series(np.nan, known.index)


def _nothing(known: pd.DataFrame) -> pd.Series:
    return pd.Series(None, known.index, dtype="str")


def _each(values: pd.Series, told: Callable[[float], str]) -> pd.Series:
    """Words for each number; null where there is none. Equal numbers are put into words once."""
    texts = {value: told(value) for value in values.dropna().unique() if np.isfinite(value)}
    return values.map(texts).astype("str")


def _first(*texts: pd.Series) -> pd.Series:
    """The first of several sentences that can be said."""
    chosen, *rest = texts
    for text in rest:
        chosen = chosen.where(chosen.notna(), text)
    return chosen


def _classes(values: pd.Series, edges: Sequence[float], names: Sequence[str]) -> pd.Series:
    """Words for numbers by the edges that they reach, one more than there are edges; null where there is none."""
    places = np.digitize(values.fillna(edges[0]), edges)
    return pd.Series(np.asarray(names, dtype=object)[places], values.index, dtype="str").where(values.notna(), None)


def _favourite(known: pd.DataFrame, names: dict[str, str], otherwise: str) -> pd.Series:
    """What is told of the largest of several shares, if it is large."""
    there = [name for name in names if name in known]
    if not there:
        return _nothing(known)
    shares = known[there].to_numpy("float64")
    largest = np.nan_to_num(shares, nan=-1).argmax(axis=1)
    size = np.nanmax(np.nan_to_num(shares, nan=-1), axis=1)
    words = np.asarray([names[name] for name in there], dtype=object)[largest]
    told = pd.Series(np.where(size >= FAVOURITE, words, otherwise), known.index, dtype="str")
    return told.where(size >= 0, None)


def _lengths(known: pd.DataFrame, name: str) -> list[int]:
    """Lengths of the windows that a frame has of a feature."""
    found = (re.fullmatch(rf"{name}_(\d+)", str(column)) for column in known.columns)
    return [int(match[1]) for match in found if match]


def _longest(known: pd.DataFrame, name: str, most: int) -> int:
    """The longest window of at most `most` days; the shortest if all are longer, 0 if there is none."""
    lengths = _lengths(known, name)
    return max((length for length in lengths if length <= most), default=min(lengths, default=0))


def _days(value: float) -> str:
    return _plural(value, "day")


def _plural(value: float, unit: str) -> str:
    return f"{count(value)} {unit}{'' if round(value) == 1 else 's'}"


def _about(value: float, unit: str) -> str:
    rounded = round(value, 1)
    return f"{number(rounded)} {unit}{'' if rounded == 1 else 's'}"


def _amount(value: float, currency: str) -> str:
    return money(value, currency) if currency else number(value)


def _spent(value: float, currency: str) -> str:
    if value == 0:
        return "spent nothing"
    return f"spent {_amount(value, currency)}" if value > 0 else f"got back {_amount(-value, currency)} more than spent"
