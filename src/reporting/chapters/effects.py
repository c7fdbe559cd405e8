"""Chapter 5, continued: what campaigns changed. Where that cannot be told, the page says so and gives no number."""

from typing import Any

import pandas as pd
from great_tables import GT

from ...programme.effect import Effect
from ...study import Study
from .. import tables, words
from .effect_numbers import (
    about,
    amount,
    because,
    cell,
    forest,
    is_known,
    observed,
    randomised,
    sized,
    span,
    tellable,
)

METRICS = {
    "spend": "Spend",
    "purchase_days": "Purchase days",
    "order_value": "Spend an order",
    "orders": "Orders",
    "repurchase": "Share of buyers",
}
NEEDED = "It takes a list of who was sent which campaign and when (`[contacts]`), and of who was held out of it by chance (`contacts.group`)."


def in_short(study: Study) -> str:
    """What campaigns changed, in two or three sentences."""
    if not is_known(study):
        return f"What campaigns change cannot be told: nobody is known to have been sent one. {NEEDED}"
    return " ".join(filter(None, [_randomised_in_short(study), _observed_in_short(study)]))


def in_a_clause(study: Study) -> str:
    """What campaigns changed, as the end of a sentence."""
    drawn = [(each, effect) for each in randomised(study) if tellable(study, effect := _main(each))]
    if drawn:
        each, effect = max(drawn, key=lambda item: item[1].control)
        held = f"held against customers left out by chance, campaign {each['campaign']}"
        if not effect.clear:
            return f"{held} changed nothing that chance does not explain"
        return f"{held} changed {_metric(each)} by {sized(effect, study.dataset.currency)}"
    chosen = [each.effect for each in observed(study, "all").values()]
    if not chosen or not tellable(study, chosen[0]):
        return "what that changes cannot be told until some are held out by chance"
    if not chosen[0].clear:
        return "that it changes what they spend cannot be shown"
    return f"against others who had bought alike it changed spend by {sized(chosen[0], study.dataset.currency)}"


def _randomised_in_short(study: Study) -> str:
    told = [(each, effect) for each in randomised(study) if tellable(study, effect := _main(each))]
    if not told:
        return ""
    each, effect = max(told, key=lambda item: item[1].control)
    verdict = "" if effect.clear else ", which may be chance"
    return f"Of {_campaigns(len(randomised(study)), 'with a control group')}, the largest (campaign {each['campaign']}) changed {_metric(each)} by {sized(effect, study.dataset.currency)}{verdict}."


def _observed_in_short(study: Study) -> str:
    whole = observed(study, "all", "type") or observed(study)
    if not whole:
        return ""
    told = {name: each.effect for name, each in whole.items() if tellable(study, each.effect)}
    first = (
        "Where customers were chosen, "
        if randomised(study)
        else "Customers were chosen, nobody was held out by chance: "
    )
    if not told:
        return f"{first}no effect can be told, because {because(next(iter(whole.values())).effect.refusals)}."
    clear = [name for name, effect in told.items() if effect.clear]
    currency = study.dataset.currency
    names = words.listed(
        f"{name} {amount(effect, effect.found.estimate, currency)} ({span(effect, effect.found, currency)})"
        for name, effect in list(told.items())[:3]
    )
    lost = [name for name in whole if name not in told]
    unknown = f" Of {words.listed(lost)} no effect can be told." if lost else ""
    verdict = (
        f"beyond chance is what {words.listed(clear)} changed"
        if clear
        else "no effect on spend is distinguishable from zero"
    )
    return f"{first}{verdict}: {names} a customer in {words.days(about(study)['days'])}, 90 % intervals in brackets.{unknown}"


def _campaigns(number: int, which: str) -> str:
    return f"{words.count(number)} campaign{'' if number == 1 else 's'} {which}"


def _main(each: dict[str, Any]) -> Effect:
    effect: Effect = next(iter(each["effects"].values()))
    return effect


def _metric(each: dict[str, Any]) -> str:
    return METRICS[next(iter(each["effects"]))].lower()


# Where chance decided


def has_randomised(study: Study | None) -> bool:
    """Whether a campaign has a control group."""
    return is_known(study) and bool(randomised(study))  # type: ignore[arg-type]


def held_out(study: Study) -> GT:
    """What each campaign with a control group changed, as a table."""
    currency = study.dataset.currency
    rows = []
    for each in randomised(study):
        for metric, effect in each["effects"].items():
            shown = tellable(study, effect)
            rows.append(
                {
                    "campaign": each["campaign"],
                    "start": pd.Timestamp(each["start"]),
                    "metric": METRICS[metric],
                    "treated": effect.treated if shown else None,
                    "control": effect.control if shown else None,
                    "raw": cell(effect, effect.raw, currency) if shown else words.NOTHING,
                    "found": cell(effect, effect.found, currency) if shown else "not told",
                    "read": _reading(each),
                }
            )
    return tables.table(
        pd.DataFrame(rows),
        title="What campaigns with a control group changed",
        columns={
            "campaign": tables.text("Campaign"),
            "start": tables.Column(label="Start", kind="date"),
            "metric": tables.text("Measured"),
            "treated": tables.count("Sent"),
            "control": tables.count("Held out"),
            "raw": tables.text("Difference (90 %)"),
            "found": tables.text("Past taken out (90 %)"),
            "read": tables.text("Read"),
        },
        notes=[
            f"A customer (spend an order: of all orders of an arm), over {words.days(about(study)['days'])} from the campaign's first day on, unless another period was registered. Past taken out: CUPED, with what was bought in as many days before."
        ],
    )


def _reading(each: dict[str, Any]) -> str:
    so_far = "so far" if each["running"] else "once, at its end"
    return f"as registered, {so_far}" if each["registered_on"] else so_far


def read_held_out(study: Study) -> str:
    """How many campaigns changed anything, and whether their arms are alike."""
    if not has_randomised(study):
        return "Nobody was held out of a campaign by chance, so there is no such effect. Hold some customers out of the next one, by chance, and write it down (`contacts.group`)."
    mains = [(each, _main(each)) for each in randomised(study)]
    told = [(each, effect) for each, effect in mains if tellable(study, effect)]
    if not told:
        return f"No effect is told: {because(mains[0][1].refusals)}."
    clear = [(each, effect) for each, effect in told if effect.clear]
    each, effect = max(clear or told, key=lambda item: abs(item[1].found.estimate))
    first = f"Beyond chance is what {len(clear)} of {_campaigns(len(told), '')}".rstrip()
    lost = len(mains) - len(told)
    untold = (
        f" Of {_campaigns(lost, 'no effect is told')}: {because(tuple(r for _, e in mains for r in e.refusals))}."
        if lost
        else ""
    )
    return f"{first} changed; largest was campaign {each['campaign']}, {sized(effect, study.dataset.currency)} in {_metric(each)}.{untold}"


def doubts_held_out(study: Study) -> str:
    """The checks of campaigns with a control group, and what must hold, as a list."""
    mains = [(each, _main(each)) for each in randomised(study)]
    odd = [each["campaign"] for each, effect in mains if not all(test.passed for test in effect.placebos)]
    unplanned = [each["campaign"] for each, _ in mains if each["planned"] is None]
    running = [each["campaign"] for each, _ in mains if each["running"]]
    first = next((effect for _, effect in mains if effect.placebos), None)
    lines = [f"- {line}" for line in mains[0][1].assumptions]
    if first:
        told = f"- Before the campaign nothing can have been changed: of {len(mains)} comparisons of that time {len(odd) or 'none'} differ more than chance allows 19 times in 20"
        lines.append(f"{told} (campaign {words.listed(odd)})." if odd else f"{told}.")
    if unplanned:
        lines.append(
            "- Which share was to be held out is neither in the dataset file (`campaigns.hold_out`) nor registered (`loyalty "
            f"design --register`), so that the sizes of the arms could not be checked in {_campaigns(len(unplanned), '').rstrip()}."
        )
    if len(unplanned) < len(mains):
        lines.append(_sizes([each for each in mains if each[0]["planned"] is not None]))
    if running:
        lines.append(
            f"- Campaign {words.listed(running)} is not over: its interval is wide enough to be looked at every day."
        )
    lines += [f"- Campaign {each['campaign']}: {note}" for each, note in _registered(mains)]
    lines += [_verdict(study, each, effect) for each, effect in mains if each["succeeded"] is not None]
    return "\n".join(lines)


def _sizes(planned: list[tuple[dict[str, Any], Effect]]) -> str:
    """Whether the arms have the sizes that they were to have."""
    odd = [each["campaign"] for each, effect in planned if any("planned shares" in why for why in effect.refusals)]
    rest = f"but in campaign {words.listed(odd)}, of which no effect is told" if odd else "as chance has it"
    return f"- Where it is known which share was to be held out ({_campaigns(len(planned), '').rstrip()}), the arms have these sizes, {rest}."


def _verdict(study: Study, each: dict[str, Any], effect: Effect) -> str:
    """Whether a campaign is what it was registered to be: a rise, of at least the size that matters."""
    first = f"- Campaign {each['campaign']} was registered to raise {_metric(each)}"
    if not tellable(study, effect):
        return f"{first}: whether it did cannot be told."
    least = amount(effect, each["minimum_effect"], study.dataset.currency)
    size = "may be of that size or not"
    if effect.found.low >= each["minimum_effect"]:
        size = "is of that size"
    elif effect.found.high < each["minimum_effect"]:
        size = "is smaller"
    return f"{first}: {'it did, beyond chance' if each['succeeded'] else 'that it did is not shown'}. The least that matters was {least}; what was found {size}."


def _registered(mains: list[tuple[dict[str, Any], Effect]]) -> list[tuple[dict[str, Any], str]]:
    """What a registered read-out says of how it was read."""
    parts = ("registered", "exploratory")
    return [
        (each, words.told(note))
        for each, effect in mains
        if each["registered_on"]
        for note in effect.notes
        if any(part in note for part in parts)
    ]


def held_out_lines(study: Study) -> pd.DataFrame:
    """Effects of campaigns with a control group on spend, see `effect_figures.forest`."""
    rows = [(f"campaign {each['campaign']}", each["effects"].get("spend")) for each in randomised(study)]
    return forest(study, [(name, effect) for name, effect in rows if effect is not None])
