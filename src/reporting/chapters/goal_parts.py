"""Chapter 6, continued: the stages of goals, and which segments carry their change."""

from typing import Any

import pandas as pd
from great_tables import GT

from ...programme.effect import QUANTILE
from ...study import Study
from .. import tables, words
from ..privacy import hidden
from .goal_numbers import change_writer, last_day, measured, rows_of, told, writer

CARRIERS_SHOWN = 3


# Stages


def has_stages(study: Study | None) -> bool:
    """Whether a goal has stages."""
    return study is not None and any(len(rows_of(study, "stages", measure)) for measure in told(study))


def stages(study: Study) -> GT:
    """Values to be reached on the way, as a table."""
    minimum, rows = study.dataset.privacy.minimum_cell, []
    for measure, goal in told(study).items():
        write = writer(study, goal)
        for row in rows_of(study, "stages", measure).itertuples():
            few = 0 < row.customers < minimum
            rows.append(
                {
                    "label": goal["label"], "by": row.by, "target": write(row.target),
                    "value": "hidden" if few else write(row.value), "verdict": "hidden" if few else row.verdict,
                }
            )  # fmt: skip
    columns: dict[str, tables.Column | str] = {
        "label": "Goal", "by": tables.Column(label="By", kind="date"), "target": "Target", "value": "Measured",
        "verdict": "Verdict",
    }  # fmt: skip
    return tables.table(pd.DataFrame(rows), title="Stages on the way", columns=columns)


def read_stages(study: Study) -> str:
    """How many stages were reached."""
    frame = pd.concat([rows_of(study, "stages", measure) for measure in told(study)])
    counts = frame["verdict"].value_counts()
    parts = [f"{counts[name]} {name}" for name in ("reached", "missed", "not known", "to come") if name in counts]
    return f"Of {len(frame)} stage{'s' if len(frame) > 1 else ''}, {words.listed(parts)}."


# Who carries the change


def has_carriers(study: Study | None) -> bool:
    """Whether the change of a goal can be told by segment."""
    return study is not None and any(len(_carriers(study, measure)) for measure in told(study))


def _carriers(study: Study, measure: str) -> pd.DataFrame:
    """Who carries the change, the groups that may be told of; the largest first."""
    frame = rows_of(study, "carriers", measure)
    if frame.empty:
        return frame
    counts = frame[["customers_before", "customers_after"]]
    least = counts.where(counts > 0).min(axis=1).fillna(0)
    return frame[~hidden(least, study.dataset.privacy.minimum_cell)].head(CARRIERS_SHOWN)


def carriers(study: Study) -> GT:
    """Which segments carry the change of each goal, as a table."""
    rows = []
    for measure, goal in told(study).items():
        write, change = writer(study, goal), change_writer(study, goal)
        for row in _carriers(study, measure).to_dict("records"):
            is_count = goal["unit"] == "count"
            rows.append(
                {
                    "label": goal["label"],
                    "name": row["name"],
                    "before": row["customers_before"],
                    "after": row["customers_after"],
                    "rates": words.NOTHING if is_count else f"{write(row['rate_before'])} → {write(row['rate_after'])}",
                    "own": words.NOTHING if is_count else change(row["rate_effect"]),
                    "mix": words.NOTHING if is_count else change(row["mix_effect"]),
                    "effect": change(row["effect"]),
                }
            )
    return tables.table(
        pd.DataFrame(rows),
        title="Who carries the change",
        columns={
            "label": "Goal", "name": "Segment before", "before": tables.count("Customers then"),
            "after": tables.count("Customers now"), "rates": "Then → now", "own": "By its own change",
            "mix": "By its weight", "effect": "Part of the change",
        },
        notes=[
            f"The {CARRIERS_SHOWN} largest parts of each goal; segments as they were at the beginning of a period. Parts are no effects: they say where the change is, not why."
        ],
    )  # fmt: skip


def read_carriers(study: Study) -> str:
    """The change of each goal, with its error, and who has the largest part in it."""
    lines = []
    for measure, goal in told(study).items():
        frame = _carriers(study, measure)
        if frame.empty:
            continue
        change, whole = change_writer(study, goal), rows_of(study, "carriers", measure)["effect"].sum()
        parts = words.listed(f"{row['name']} {change(row['effect'])}" for row in frame.to_dict("records"))
        first, last = goal["carried"]
        lines.append(
            f"- **{goal['label']}** changed by {change(whole)}{_error(study, measure, goal)} from {last_day(first)} to {last_day(last)}; largest parts: {parts}."
        )
    return "\n".join(lines)


def _error(study: Study, measure: str, goal: dict[str, Any]) -> str:
    """The interval of a change, its two periods taken as independent; empty where nothing is estimated."""
    rows = measured(study, measure).set_index("end").reindex(pd.to_datetime(goal["carried"]))
    half = QUANTILE * float((rows["standard_error"] ** 2).sum(skipna=False)) ** 0.5
    if not half > 0:
        return ""
    change, middle = change_writer(study, goal), rows["value"].iloc[1] - rows["value"].iloc[0]
    return f" (90 % interval {change(middle - half).removesuffix(' points')} to {change(middle + half)})"
