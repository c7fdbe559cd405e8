"""Chapter 6: satisfaction. The net promoter score, by tier and segment, and who left later."""

from typing import Any

import pandas as pd
from great_tables import GT

from ... import notation
from ...programme.effect import Interval
from ...programme.tier_rules import NO_TIER
from ...study import Study
from .. import tables, words
from ..figures import SEGMENT_ORDER
from ..privacy import hidden

WANTED = 'It takes a table of answers to "How likely are you to recommend us?", from 0 to 10: the section `[survey]` in the dataset file, with `source`, `customer`, `time` and `score`.'
GROUPS = {"all": "All", "tier": "Tier", "segment": "Segment"}
SAID = {"promoters": "Promoters (9, 10)", "passives": "Passives (7, 8)", "detractors": "Detractors (0 to 6)"}
NOT_A_CAUSE = "Who is content differs from who is not in much else, and who answers from who does not: this is a difference, not what a better score would change."


def has_survey(study: Study | None) -> bool:
    """Whether enough customers answered to tell of them."""
    return (
        study is not None
        and _about(study)["known"]
        and bool(_row(study)["answers"] >= study.dataset.privacy.minimum_cell)
    )


def _about(study: Study) -> dict[str, Any]:
    about: dict[str, Any] = study.satisfaction()["about"]
    return about


def _row(study: Study) -> pd.Series:
    """The score of everyone."""
    frame = study.satisfaction()["scores"]
    row: pd.Series = frame[frame["by"] == "all"].iloc[0]
    return row


# The answer


def opening(study: Study) -> str:
    """The score with its interval, and whether those who were not content left."""
    if not has_survey(study):
        return f"How content customers are cannot be told: {_why_not(study)}"
    return f"{_score(study)} {_left(study)}"


def _why_not(study: Study) -> str:
    about = _about(study)
    if about["refused"]:
        return f"{words.told(about['refused'])}."
    if study.dataset.survey is None:
        return f"there is no survey. {WANTED}"
    return f"in the last {words.days(about['within_days'])} too few customers answered."


def _score(study: Study) -> str:
    row = _row(study)
    return (
        f"The net promoter score is {_points(row['nps'])} (90 % interval {words.between(row['low'], row['high'], _points)}), from the last answers of {words.count(row['answers'])} customers "
        f"in the {words.days(_about(study)['within_days'])} before {words.day(study.known_until)}."
    )


def _points(value: float) -> str:
    return words.NOTHING if pd.isna(value) else f"{round(value):+d}".replace("-", "−").replace("+0", "0")


# By tier and segment


def groups(study: Study) -> pd.DataFrame:
    """Scores of everyone, by tier and by segment; missing where too few answered. See `goal_figures.satisfaction`."""
    frame, minimum = study.satisfaction()["scores"], study.dataset.privacy.minimum_cell
    parts = []
    for by, name in GROUPS.items():
        part = frame[frame["by"] == by].replace({"group": {NO_TIER: "Below the first tier"}})
        if by == "segment":
            part = part.sort_values("group", key=lambda names: names.map(_place))
        part = part.reset_index(drop=True)
        few = hidden(part["answers"], minimum)
        numbers = ["answers", "nps", "low", "high"]
        part[numbers] = part[numbers].astype("float64").where(~few)
        label = part["group"].map(lambda group, name=name, by=by: name if by == "all" else f"{name}: {group}")
        parts.append(part.assign(label=label))
    return pd.concat(parts, ignore_index=True)


def _place(segment: str) -> int:
    """Where a segment stands among all."""
    return SEGMENT_ORDER.index(segment) if segment in SEGMENT_ORDER else len(SEGMENT_ORDER)


def scores(study: Study) -> GT:
    """The same as a table."""
    frame = groups(study)
    frame[["nps", "low", "high"]] = frame[["nps", "low", "high"]].round()
    notes = [
        f"Last answer of each customer. Groups of fewer than {study.dataset.privacy.minimum_cell} are not shown, nor one that would give them away."
    ]
    return tables.table(
        frame.assign(answers=frame["answers"].astype(object).where(frame["answers"].notna(), "hidden")),
        title="Net promoter score by tier and segment",
        columns={
            "label": "Customers",
            "answers": tables.count("Answers"),
            "nps": tables.Column(label="Score (90 %)", kind="number", decimals=0, interval=("low", "high")),
        },
        notes=notes
        if _about(study)["tiers"]
        else [*notes, "By tier nothing is told: the dataset file has no tiers (`programme.tiers`)."],
    )


def read_scores(study: Study) -> str:
    """The score, and the groups that are surely high and surely low, by tier and by segment."""
    frame = groups(study)
    text = [_score(study), words.told(_about(study)["note"])]
    for by in ("tier", "segment"):
        part = frame[(frame["by"] == by) & frame["nps"].notna()]
        if len(part) > 1:
            text.append(_extremes(by, part))
    return " ".join(filter(None, text))


def _extremes(by: str, part: pd.DataFrame) -> str:
    best, worst = part.loc[part["low"].idxmax()], part.loc[part["high"].idxmin()]
    if best["low"] <= worst["high"]:
        return f"Between {by}s no difference is beyond chance."
    told = (
        f"{row['group']} ({_points(row['nps'])}, {words.between(row['low'], row['high'], _points)})"
        for row in (best, worst)
    )
    first, last = told
    return f"By {by} most content: {first}; least: {last}."


# Who left later


def has_later(study: Study | None) -> bool:
    """Whether it can be told who left, by what they had answered."""
    return has_survey(study) and study is not None and bool(later(study)["share"].notna().any())


def later(study: Study) -> pd.DataFrame:
    """Share who left by what they had answered, without what is known of few. See `goal_figures.later_churn`.

    Returns
    -------
    label, customers, share, low, high; index promoters, passives, detractors. Missing where fewer than the minimum
    answered so, left or stayed.
    """
    frame, minimum = study.satisfaction()["later"], study.dataset.privacy.minimum_cell
    stayed = frame["customers"] - frame["churned"]
    few = (
        hidden(frame["customers"], minimum) | frame["churned"].between(1, minimum - 1) | stayed.between(1, minimum - 1)
    )
    shares = ["share", "low", "high"]
    told = frame.assign(label=[SAID[str(name)] for name in frame.index])
    told[shares] = told[shares].where(~few)
    told["customers"] = told["customers"].astype("float64").where(~hidden(frame["customers"], minimum))
    return told[["label", "customers", *shares]]


def read_later(study: Study) -> str:
    """Whether those who were not content left more often, and that this is no cause."""
    frame = later(study)
    parts = [f"{row.label.split(' (')[0].lower()} {_share(row)}" for row in frame.itertuples() if pd.notna(row.share)]
    first = f"Of customers active on {words.day(_about(study)['origin'])} who had answered before, until {words.day(pd.Timestamp(_about(study)['until']) - pd.Timedelta(days=1))} left: {words.listed(parts)}."
    return f"{first} {_left(study)} {NOT_A_CAUSE}" if parts else f"{_left(study)} {NOT_A_CAUSE}"


def _share(row: Any) -> str:
    return f"{words.percent(row.share)} (90 % interval {words.between(row.low, row.high, words.percent)})"


def _left(study: Study) -> str:
    """Detractors against promoters, in a sentence."""
    found, frame = _about(study)["difference"], later(study)
    if found is None or frame.loc[["promoters", "detractors"], "share"].isna().any():
        return "Too few active customers had answered before to say whether those who were not content left more often."
    difference = Interval(**found)
    size = f"{words.points(difference.estimate)}, 90 % interval {_signed(difference.low)} to {_signed(difference.high)}"
    if difference.holds(0.0):
        return f"Detractors did not clearly leave more often than promoters (by {size})."
    return f"Detractors left {'more' if difference.estimate > 0 else 'less'} often than promoters (by {size})."


def _signed(difference: float) -> str:
    return notation.write(f"{100 * difference:+.1f}".replace("-", "−"))


# The end


def limits(study: Study) -> str:
    """Where this fails."""
    if not has_survey(study):
        return "What customers do is known; what they think is not, without a survey."
    return (
        "Only those who answer are heard: the score is of them, and its interval knows nothing of the others. "
        "A score that rises because other customers answer is no progress."
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    if not has_survey(study):
        return "How content our customers are we do not know: let us ask them, and keep the answers by customer."
    row = _row(study)
    return f"Our net promoter score is {_points(row['nps'])} ({words.between(row['low'], row['high'], _points)}). {_left(study)}"
