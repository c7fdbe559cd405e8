"""Why customers are worth more or less than the report before said: in words, as a figure, and for the manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..study import Study
from . import style, words

LABELS = {
    "corrections": "Corrections of the data",
    "lost": "Customers lost",
    "behaviour": "What the others did since",
    "spend": "Spend per purchase",
    "new": "New customers",
    "assumptions": "Another margin or discount rate",
    "refit": "Model fitted anew",
}
ALL_OF_THEM = "What customers did, lost ones too"
WITH_NEW = "What customers did, new ones too"
WITH_BOTH = "What customers did, lost and new ones too"
WITH_CORRECTIONS = "Model fitted anew, small corrections"
HOW_LOST = "active then and not now"
TITLE = "What moved the value of all customers"


def packed(study: Study, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """The bridge from an earlier run to this one, as it may be published.

    A group of fewer customers than may be told of is put together with others. So are corrections that as few could
    explain: those smaller than what the most valuable `minimum_cell` customers are worth together.

    Parameters
    ----------
    earlier : the run, as from `history.past`, with `value`.

    Returns
    -------
    run, as_of : of the earlier run.
    before, now : value then and now, whole cents (of a unit of money).
    refused : why there are no steps; empty if there are.
    code : whether the code is another since.
    steps : step, label, customers (null where it is not of a group) and cents; they add up to now less before.
    """
    said = study.bridge(earlier["value"])
    about = said["about"]
    top = max(float(earlier["value"].get("top", 0.0)), _top(study))
    steps = [] if about["refused"] else told(_rows(said["steps"]), study.dataset.privacy.minimum_cell, round(100 * top))
    same = {name: about[name] for name in ("before", "now", "refused", "code")}
    return {"run": earlier["run"], "as_of": earlier["as_of"], **same, "steps": steps}


def told(steps: Sequence[Mapping[str, Any]], minimum: int, top: int) -> list[dict[str, Any]]:
    """Steps as they may be published, see `packed`; they still add up.

    Parameters
    ----------
    steps : step, customers, cents; as from `models.bridge.walk`.
    minimum : least number of customers in a group that is told of.
    top : what so many customers may be worth together, cents.
    """
    left = {str(one["step"]): dict(one) for one in steps}

    def few(name: str) -> bool:
        return bool(0 < left[name]["customers"] < minimum)

    if few("lost") or few("behaviour"):
        _join(left, "lost", "behaviour", ALL_OF_THEM)
    if few("new"):
        _join(left, "new", "behaviour", WITH_NEW)
    if 0 < abs(left["corrections"]["cents"]) < top:
        _join(left, "corrections", "refit", WITH_CORRECTIONS)
    if not left["assumptions"]["cents"]:
        del left["assumptions"]
    groups = ("lost", "behaviour", "new")
    return [
        {
            "step": name,
            "label": one.get("label", LABELS[name]),
            "customers": int(one["customers"]) if name in groups else None,
            "cents": int(one["cents"]),
        }
        for name, one in left.items()
    ]


def _join(steps: dict[str, dict[str, Any]], one: str, other: str, label: str) -> None:
    """Put a step into another."""
    gone = steps.pop(one)
    same = steps[other]
    counted = same["customers"] if one == "corrections" else same["customers"] + gone["customers"]
    label = WITH_BOTH if {label, same.get("label")} == {ALL_OF_THEM, WITH_NEW} else label
    steps[other] = same | {"label": label, "cents": same["cents"] + gone["cents"], "customers": counted}


def sentences(bridge: Mapping[str, Any], currency: str, horizon_days: int) -> str:
    """The bridge in words, Markdown.

    Parameters
    ----------
    bridge : see `packed`.
    currency, horizon_days : of both runs.
    """
    since = words.day(bridge["as_of"])
    if bridge["refused"]:
        return f"Why the value of all customers is another than on {since} cannot be told: {bridge['refused']}."
    before, now = bridge["before"] / 100, bridge["now"] / 100
    change = now - before
    share = f", {words.percent(abs(change) / before)}" if before else ""
    moved = f"{sized(bridge['now'] - bridge['before'], currency)}{share}" if change else "the same"
    steps = sorted(bridge["steps"], key=lambda one: -abs(one["cents"]))
    said = [_step(one, currency) for one in steps if one["cents"]]
    still = [one["label"].lower() for one in steps if not one["cents"]]
    nothing = f" Nothing came of {words.listed(still)}." if still else ""
    code = " The code is another since; what that changes stands with the corrections." if bridge["code"] else ""
    told = f" {'. '.join(said)}." if said else ""
    ahead = words.days(horizon_days)
    return (
        f"All customers known on {since} were worth {_money(before, currency)} over the next {ahead}, "
        f"those known now {_money(now, currency)}: {moved}.{told}{nothing}{code}"
    )


def _step(one: Mapping[str, Any], currency: str) -> str:
    """A step in a few words."""
    counted = f" ({words.count(one['customers'])})" if one["customers"] else ""
    lost = f", {HOW_LOST}" if one["step"] == "lost" else ""
    return f"{one['label']}{counted}{lost}: {sized(one['cents'], currency)}"


def sized(cents: int, currency: str) -> str:
    """An amount with its sign as a word.

    Examples
    --------
    >>> sized(-123456, "USD"), sized(5, "USD")
    ('$1,230 less', '$0.05 more')
    """
    return f"{_money(abs(cents) / 100, currency)} {_way(cents)}"


def _way(cents: int) -> str:
    return "more" if cents > 0 else "less"


def signed(cents: int, currency: str) -> str:
    """An amount with its sign.

    Examples
    --------
    >>> signed(-123456, "USD"), signed(5, "USD"), signed(0, "EUR")
    ('−$1,230', '+$0.05', '€0.00')
    """
    return f"{'+' if cents > 0 else ''}{_money(cents / 100, currency)}"


def _money(value: float, currency: str) -> str:
    return words.money(value, currency)


@style.context()
def waterfall(bridge: Mapping[str, Any], currency: str, *, ax: Axes | None = None) -> Axes:
    """Each step as a bar that begins where the one before ended; from no change to the whole change.

    Parameters
    ----------
    bridge : see `packed`; with steps.
    """
    steps = bridge["steps"]
    labels = [*(one["label"] for one in steps), "All of it"]
    sizes = np.array([*(one["cents"] for one in steps), bridge["now"] - bridge["before"]]) / 100
    starts = np.r_[0.0, np.cumsum(sizes[:-1])[:-1], 0.0]
    ends, places = starts + sizes, np.arange(len(sizes))
    ax = ax if ax is not None else style.figure(height=110 + 36 * len(sizes))[1]
    colours = [style.ACCENT if size >= 0 else style.VERMILLION for size in sizes[:-1]]
    ax.barh(places, sizes, left=starts, height=0.62, color=[*colours, style.GREY])
    for place, end in zip(places[:-1], ends[:-1], strict=True):
        ax.plot([end, end], [place - 0.31, place + 1.31], color=style.LIGHT_GREY, linewidth=1)
    ax.axvline(0, color=style.GREY, linewidth=1)
    reach = np.ptp(np.r_[starts, ends]) or 1.0
    for place, start, end, size in zip(places, starts, ends, sizes, strict=True):
        text = signed(round(100 * size), currency)
        ax.annotate(text, (max(start, end), place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=10)
    ax.set_xlim(min(0, starts.min(), ends.min()) - 0.04 * reach, max(starts.max(), ends.max()) + 0.3 * reach)
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    style.thousands(ax.xaxis)
    ax.set_xlabel(f"change, {currency}")
    ax.set_title(TITLE, wrap=True)
    return ax


def _rows(steps: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = steps.reset_index().to_dict("records")
    return rows


def _top(study: Study) -> float:
    values = study.value()["customers"]["clv"]
    return float(values.nlargest(study.dataset.privacy.minimum_cell).sum())
