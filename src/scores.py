"""Scores of all active customers, for the systems that act on them.

Whatever the size of the log, no more is brought to this process than different histories, bounded samples of customers
to learn from, and sums; the scores themselves are computed where the rows are.
"""

import functools
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .features import build, rfm
from .features.histories import histories
from .features.labels import active, labels
from .features.sample import last_mark, tables_up_to, up_to
from .models import scoring
from .models.backtest import Origin
from .sources import engines

if TYPE_CHECKING:
    from .study import Study

SCHEMA = pa.schema(
    [("customer", pa.string())]
    + [(name, pa.float64()) for name in scoring.NUMBERS]
    + [(name, pa.string()) for name in ("segment", "model", "run")]
)


def write_scores(study: "Study") -> dict[str, Any]:
    """Score everyone active at `study.known_until` into `data/processed/<dataset>/<as-of>/scores.parquet`.

    The file has one row a customer, in order of customer, and appears whole or not at all: customer (the retailer's own
    id), churn_probability, expected_orders (purchase days), expected_spend and clv (money) over the horizon, segment
    (null for who has not bought for a year), model (which gave churn_probability) and run (the study's key).

    Returns
    -------
    dataset, as_of, run : what was scored.
    scores : path of the file.
    customers : rows in it.
    model : the winner.
    comparison : how the churn models did at the latest past date, see `models.metrics.compare`.
    """
    past = [_origin(study, day) for day in study.origins()]
    scorer, comparison = scoring.fit(past, study.distinct_histories(), _paying(study), study.earning())
    parameters, trees = scorer.pack()
    function = functools.partial(scoring.score_batches, parameters=parameters, trees=trees, run=study.key)
    file = study.root / "data" / "processed" / study.name / study.as_of.isoformat() / "scores.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as scratch:
        new = Path(scratch) / file.name
        engines.write_mapped(study.data.connection, _rows(study, scorer), function, SCHEMA, new)
        os.replace(new, file)
    return {
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "known_until": study.known_until.isoformat(),
        "run": study.key,
        "scores": str(file),
        "customers": pq.read_metadata(file).num_rows,
        "model": scorer.winner,
        "comparison": comparison.to_dict("index"),
    }


def _rows(study: "Study", scorer: scoring.Scorer) -> ir.Table:
    """What is known now of everyone active: customer, segment and what the scorer needs."""
    tables = study.data.tables
    known = build.features(tables, study.window(), study.active_within_days)
    segments = rfm.segments(tables, study.known_until).select("customer", "segment")
    joined = known.left_join(segments, "customer")
    return joined.select("customer", "segment", *scorer.needs()).order_by("customer")


def _origin(study: "Study", day: date) -> Origin:
    """A past date with a bounded sample of those who were active."""
    most = study.dataset.engine_settings.training_customers
    mark = last_mark(active(study.data.tables.days, day, study.active_within_days), most)
    tables = tables_up_to(study.data.tables, mark)
    frame = build.frame(tables, study.window(day), study.active_within_days).select_dtypes("number")
    outcome = labels(tables, day, study.horizon_days, study.active_within_days, known_until=study.known_until)
    churned = outcome.select("customer", "churned").to_pandas().set_index("customer")["churned"]
    return Origin(frame, study.distinct_histories(day), churned.sort_index())


def _paying(study: "Study") -> pd.DataFrame:
    """Repeat buyers who paid something, or a sample of them: the mean spend of each is as good as unique."""
    known = histories(study.data.tables, study.known_until)
    paying = known.filter((known.frequency > 0) & (known.monetary_value > 0))
    mark = last_mark(paying, study.dataset.engine_settings.training_customers)
    return up_to(paying, mark).order_by("customer").select("frequency", "monetary_value").to_pandas()
