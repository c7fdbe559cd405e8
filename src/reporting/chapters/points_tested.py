"""Chapter 6, points continued: what both methods would have said earlier, against what was redeemed since."""

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import tables, words
from .points_numbers import about, begun, note
from .points_worth import METHODS


def has_test(study: Study) -> bool:
    """Whether the ledger is long enough to test the methods on its own past."""
    return not study.points()["liability_tested"].empty


def tested(study: Study) -> GT:
    """What was promised at earlier dates and what came, as a table."""
    frame = _tested(study)
    frame = frame.assign(
        day=frame["tested"].map(words.day),
        name=frame["method"].map(METHODS),
        verdict=frame["held"].map({True: "yes", False: "no"}),
    )
    columns: dict[str, tables.Column | str] = {
        "day": tables.text("As known on"),
        "name": tables.text("Method"),
        "promised": tables.Column(
            label="Points to be redeemed since, 90 %", kind="count", interval=("promised_low", "promised_high")
        ),
        "redeemed": tables.count("Points redeemed since"),
        "verdict": tables.text("Within the interval"),
    }
    notes = ["Of points that were there on the day, until the date of this report.", note(study).capitalize()]
    return tables.table(frame, title="What would have been said earlier", columns=columns, notes=notes)


def read_tested(study: Study) -> str:
    """Which method held, and what follows from it."""
    if not has_test(study):
        return begun(
            study,
            "Neither method could be tested: the ledger is too short to know at an earlier date how points end, and to see afterwards what came. The stress table is by survival.",
        )
    frame = _tested(study)
    told = "; ".join(_method(str(name), part) for name, part in frame.groupby("method"))
    by, held = METHODS[about(study)["trusted"]].lower(), frame.groupby("method")["held"].all()
    warning = (
        ""
        if held[about(study)["trusted"]]
        else " Even that missed more than its interval says: what is owed is less certain than the interval tells."
    )
    return begun(
        study,
        f"Held against what came since, {told}. The stress table is by {by}, which was nearer.{warning}",
    )


def _method(name: str, part: pd.DataFrame) -> str:
    dates = len(part)
    held = int(part["held"].sum())
    ratio = words.percent(part["promised"].sum() / part["redeemed"].sum()) if part["redeemed"].sum() else "all"
    verdict = f"held it {held} of {dates} times" if dates > 1 else ("held it" if held else "missed it")
    return f"{METHODS[name].lower()} promised {ratio} of what came, and its interval {verdict}"


def _tested(study: Study) -> pd.DataFrame:
    frame: pd.DataFrame = study.points()["liability_tested"]
    return frame
