"""The step of a study that holds the scores of earlier runs against what happened since."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from .features.labels import labels
from .features.promised import sums
from .models.realised import Published, Realised, judged, published
from .sources import engines
from .store import digest

if TYPE_CHECKING:
    from .study import Study

RUNS_SHOWN = 12
COLUMNS = ("day", "model", "customers", "lost", "said", "low", "high", "happened")


def kept(study: "Study") -> dict[str, Any]:
    """What earlier runs said, and what happened.

    Of runs whose horizons overlap the latest is taken: one customer who leaves is one event. Runs for which leaving
    meant something else are left out.

    Returns
    -------
    runs : one row a run, the latest first: day; model; customers (whose outcome is known); lost (of whom nothing is
        known any more); said, low and high (leavers promised, 90 % of chance); happened.
    calibration : see `models.realised.Realised.table`, of the latest run; empty if there is none.
    about : unreadable, the dates whose file of scores cannot be read.
    """
    files, unreadable = _files(study)
    found = [(file, _judged(study, file)) for file in files]
    told = [(file, one) for file, one in found if one.customers]
    rows = [
        (pd.Timestamp(file.day), file.model, one.customers, one.lost, one.said, one.low, one.high, one.happened)
        for file, one in told
    ]
    first = told[0][1].table if told else pd.DataFrame(columns=["customers", "promised", "realised", "low", "high"])
    return {"runs": pd.DataFrame(rows, columns=COLUMNS), "calibration": first, "about": {"unreadable": unreadable}}


def key(study: "Study") -> str:
    """The same as long as the files of scores that are judged are the same."""
    files, unreadable = _files(study)
    return digest(*((file.path, file.path.stat().st_mtime_ns) for file in files), *unreadable)


def _files(study: "Study") -> tuple[list[Published], list[str]]:
    """Scores to judge, the latest first, none of whose horizons overlap."""
    folder = study.root / "data" / "processed" / study.name
    files, unreadable = published(
        folder, study.known_until, study.horizon_days, study.active_within_days, study.variant
    )
    apart: list[Published] = []
    asked = [file for file in files if file.churn == study.dataset.study.churn]
    for file in sorted(asked, key=lambda each: each.day, reverse=True):
        if len(apart) < RUNS_SHOWN and (not apart or _over(file) <= apart[-1].day):
            apart.append(file)
    return apart, unreadable


def _over(file: Published) -> date:
    return file.day + timedelta(days=file.horizon_days)


def _judged(study: "Study", file: Published) -> Realised:
    scores = engines.read(study.data.connection, file.path)
    outcomes = labels(
        study.data.tables, file.day, file.horizon_days, file.active_within_days, study.known_until, file.churn
    )
    return judged(sums(scores, outcomes).to_pandas())
