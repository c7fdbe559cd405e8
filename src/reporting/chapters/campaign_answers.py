"""Chapter 5 in short: the answer at its top, where it fails, and the sentence for the meeting."""

from ...experiments import Experiment
from ...study import Study
from .. import words
from . import effects, experiment
from .campaign_numbers import about, is_known, lacks, rate, total, untold
from .campaigns import has_desk, needed_in_short


def opening(study: Study | None, trial: Experiment | None) -> str:
    """The answer of the page: of the campaigns, and of the experiment where there is one."""
    parts = [answer(study)] if study is not None and (trial is None or is_known(study)) else []
    return "\n\n".join([*parts, *([experiment.answer(trial)] if trial is not None else [])])


def answer(study: Study) -> str:
    """Whom campaigns reached, what came back, and what it changed, as far as that can be told."""
    if not is_known(study):
        return _nothing(study)
    row, facts = total(study), about(study)
    first = (
        f"{words.count(facts['campaigns'])} campaign{'s' if facts['campaigns'] > 1 else ''} since {words.day(facts['first_day'])} reached "
        f"{words.count(row['customers'])} customers, {words.count(row['reached'])} times in all"
    )
    if why := untold(study):
        return f"{first}. {why} {effects.in_short(study)}"
    return f"{first}; of these, {rate(row)} led to a coupon handed in. {effects.in_short(study)}{_anyway(study)}"


def _nothing(study: Study) -> str:
    facts = about(study)
    why = (
        f"{study.dataset.title} says nothing of campaigns, so that this page cannot tell what they did."
        if lacks(study, "contacts")
        else f"Nobody was sent a campaign before {words.day(study.known_until)}, so that there is nothing to tell."
    )
    need = "It would take a list of who was sent what and when, with some customers held out by chance, and the coupons that came back."
    return f"{why} {need} {needed_in_short(study)}" if facts["desk"] else f"{why} {need}"


def _anyway(study: Study) -> str:
    row = total(study)
    if not row["judged_before"] > 0:
        return " A coupon handed in is no sale gained."
    return (
        f" {words.percent(row['bought_before_share'])} of the coupons were for a product that the customer had bought in the {about(study)['anyway_days']} days before: "
        "a coupon handed in is no sale gained."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    if not is_known(study):
        return "Without campaigns this page can only say what a campaign would need; its sizes are those of customers who were active at past dates, and a campaign for others has other sizes."
    text = "A redemption is no sale gained, and a low rate no loss: a letter that nobody answers may still bring customers in, and a coupon that everybody takes may only make cheaper what they bought anyway."
    early = (~study.campaigns()["campaign"]["whole"]).sum()
    if early:
        text += f" {words.count(early)} campaign{'s' if early > 1 else ''} began before the log: of {'them' if early > 1 else 'it'} early redemptions are not known."
    return text


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    if not is_known(study):
        return (
            f"What our campaigns bring we cannot say yet: hold customers out by chance in the next one. {needed_in_short(study)}"
            if has_desk(study)
            else "What our campaigns bring we cannot say yet: write down who is sent what, and hold customers out by chance."
        )
    row = total(study)
    if untold(study):
        return f"Our campaigns were sent {words.count(row['reached'])} times, and we know next to nothing of what came back."
    return f"{words.percent(row['redemption_rate'])} of those we send a campaign hand in a coupon; {effects.in_a_clause(study)}."
