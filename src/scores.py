"""Scores of all active customers, for the systems that act on them.

Whatever the size of the log, no more is brought to this process than different histories, bounded samples of customers
to learn from, and sums; the scores themselves are computed where the rows are.
"""

import functools
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from . import sampled
from .features import build, rfm
from .models import scoring, valuation
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
    past = [sampled.origin(study, day) for day in study.origins()]
    paying = valuation.paying(study.histories())
    about = study.purchase_models()["about"]
    used = (about["used"], about["regularity"])
    scorer, comparison = scoring.fit(past, study.distinct_histories(), paying, study.earning(), used)
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
