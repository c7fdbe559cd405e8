"""Chapter 5, continued: what campaigns to chosen customers changed. If that cannot be told, there is no number."""

import pandas as pd
from great_tables import GT

from ...programme.effect import Effect
from ...programme.observational import Observed
from ...study import Study
from .. import tables, words
from .effect_numbers import about, amount, because, forest, group, is_known, observed, sized, span, tellable

TUNED_ON = "complete-journey"
"""The log on which the number of matched weeks was chosen, after its results had been seen."""
SHOWN = 4
"""Groups whose weeks are drawn."""


def has_observed(study: Study | None) -> bool:
    """Whether a campaign was sent to chosen customers, nobody being held out."""
    return is_known(study) and bool(observed(study))  # type: ignore[arg-type]


def chosen(study: Study) -> GT:
    """What campaigns to chosen customers changed, as a table; the raw difference beside it, named as what it is."""
    currency = study.dataset.currency
    rows = []
    for name, each in observed(study).items():
        effect, shown, facts = each.effect, tellable(study, each.effect), group(study, name)
        rows.append(
            {
                "name": name,
                "compared": f"{len(facts['compared'])} of {facts['campaigns']}",
                "treated": effect.treated if shown else None,
                "found": effect.found.estimate if shown else "not identified",
                "low": effect.found.low if shown else None,
                "high": effect.found.high if shown else None,
                "check": each.check.found.estimate if shown and each.check else None,
                "raw": effect.raw.estimate if shown and effect.raw else None,
            }
        )
    return tables.table(
        pd.DataFrame(rows),
        title="What campaigns to chosen customers changed in spend",
        columns={
            "name": tables.text("Campaigns"),
            "compared": tables.text("Compared"),
            "treated": tables.count("Contacts"),
            "found": tables.money("Effect (90 %)", currency, interval=("low", "high")),
            "check": tables.money("Second method", currency),
            "raw": tables.money("No effect: raw difference", currency),
        },
        notes=[
            f"{currency} a customer over {words.days(about(study)['days'])} from the contact on. Raw difference: contacted less all others; it shows who was chosen.",
            "Compared: campaigns with enough of the log before and after them, of all.",
        ],
    )


def read_chosen(study: Study) -> str:
    """What was found, what was not, and why not."""
    found = observed(study)
    told = {name: each.effect for name, each in found.items() if tellable(study, each.effect)}
    clear = [name for name, effect in told.items() if effect.clear]
    refused = {name: each.effect for name, each in found.items() if name not in told}
    lines = []
    if told:
        verdict = f"beyond chance is {words.listed(clear)}" if clear else "none is distinguishable from zero"
        lines.append(
            f"Of {len(found)} comparisons {len(told)} give an effect, and {verdict}. {_raw_beside(study, told)}"
        )
    else:
        lines.append("No effect of these campaigns is identified, and no number is given.")
    if refused:
        reasons: dict[str, list[str]] = {}
        for name, effect in refused.items():
            reasons.setdefault(because(effect.refusals[:1]), []).append(name)
        lines += [f"Not identified: {words.listed(names)}, because {why}." for why, names in reasons.items()]
    return " ".join(lines)


def _raw_beside(study: Study, told: dict[str, Effect]) -> str:
    """How far the raw difference is from the effect."""
    name, effect = max(told.items(), key=lambda item: item[1].treated)
    if effect.raw is None:
        return ""
    currency = study.dataset.currency
    verdict = (
        "of which the comparison leaves nothing that is not chance"
        if not effect.clear
        else "which is not what the campaigns did"
    )
    return (
        f"{name}: contacted customers spent {amount(effect, effect.raw.estimate, currency).lstrip('+')} {'more' if effect.raw.estimate > 0 else 'of difference'} than the others "
        f"(no effect: they were chosen), {verdict} ({span(effect, effect.found, currency)})."
    )


def chosen_lines(study: Study) -> pd.DataFrame:
    """Effects of campaigns to chosen customers, see `effect_figures.forest`."""
    return forest(study, [(name, each.effect) for name, each in observed(study).items()])


def weeks(study: Study) -> dict[str, pd.DataFrame]:
    """The event studies of all together and by type, those of a told effect whole, of others the weeks before."""
    found = observed(study, "all", "type") or observed(study)
    least = study.dataset.privacy.minimum_cell
    enough = {
        name: each
        for name, each in found.items()
        if len(each.weeks) and min(each.effect.treated, each.effect.control) >= least
    }
    return {_title(name, each): each.weeks for name, each in list(enough.items())[:SHOWN]}


def _title(name: str, each: Observed) -> str:
    return name if each.effect.identified else f"{name}: not identified, so only the weeks before"


def read_weeks(study: Study) -> str:
    """What the weeks show: before, during and after."""
    found = {
        name: each
        for name, each in (observed(study, "all", "type") or observed(study)).items()
        if tellable(study, each.effect)
    }
    if not found:
        return "Before the campaigns the lines should lie on zero; they do not, beyond chance, so nothing is said of the weeks after."
    currency = study.dataset.currency
    name, each = max(found.items(), key=lambda item: item[1].effect.treated)
    parts = [
        f"{part} {amount(each.effect, value.estimate, currency)} ({span(each.effect, value, currency)})"
        for part, value in (("in the first weeks", each.lift), ("in the weeks after", each.dip))
    ]
    chance = each.lift.holds(0) and each.dip.holds(0)
    verdict = "; neither is beyond chance" if chance else ", which is not chance alone"
    return f"{name}: {words.listed(parts)} a customer{verdict}. The grey weeks are those that customers were matched on, so they lie about zero by construction."


# How far that may be trusted


def doubts(study: Study) -> str:
    """Placebos, overlap, robustness and what must hold, as a list."""
    found = observed(study, "all", "type") or observed(study)
    first = next(iter(found.values()))
    lines = [f"- Must hold: {line[0].lower()}{line[1:]}" for line in first.effect.assumptions]
    for name, each in found.items():
        lines += [f"- {name}: {line}" for line in _supports(study, each)]
    return "\n".join([*lines, *caveats(study)])


def _supports(study: Study, each: Observed) -> list[str]:
    """What speaks for and against one effect."""
    if not tellable(study, each.effect):
        return [f"not identified, because {because(each.effect.refusals)}."]
    lines = [words.told(test.reading.replace(" -", " −")) for test in each.effect.placebos]
    if each.sensitivity and each.effect.clear:
        lines.append(words.told(each.sensitivity.reading))
    elif each.sensitivity:
        lines.append(
            "An unmeasured cause that explains "
            f"{words.percent(max(each.sensitivity.to_zero, 0.0))} of what is left of spend and of the choice would bring the estimate itself to zero; its interval holds zero already."
        )
    overlap = each.effect.overlap
    if overlap and overlap.trimmed >= study.dataset.privacy.minimum_cell:
        lines.append(f"{words.count(overlap.trimmed)} customers were left out because nobody was like them.")
    if each.check:
        agree = each.check.found.holds(each.effect.found.estimate)
        lines.append(
            f"A second method (doubly robust, boosted trees) finds {sized(each.check, study.dataset.currency)}, {'in agreement' if agree else 'which is another answer: take neither for sure'}."
        )
    return lines


def caveats(study: Study) -> list[str]:
    """What the numbers do not say of themselves."""
    told = sum(tellable(study, each.effect) for each in observed(study).values())
    lines = [f"- {told} effects were tried one by one: no correction is made for their number."] if told > 1 else []
    if study.name == TUNED_ON:
        lines.append(
            "- How many weeks customers are matched on was chosen after this log had been seen: take these effects for an example, not for evidence."
        )
    return lines
