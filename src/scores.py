"""Scores of all customers who can leave, for the systems that act on them.

Whatever the size of the log, no more is brought to this process than different histories, bounded samples of customers
to learn from, those customers whose reasons are told, and sums; the scores themselves are computed where the rows are.
"""

import functools
import json
import os
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from . import leaving
from .features import build, rfm
from .features.sample import tables_of
from .models import champion_scores, explain
from .models.chosen import Chosen
from .models.explain_champion import of_champion
from .models.realised import ABOUT
from .reporting.reasons import reasons
from .sources import engines
from .store import Store

if TYPE_CHECKING:
    from .study import Study

NUMBERS = [(name, pa.float64()) for name in champion_scores.NUMBERS]
REASONS = ("reason_1", "reason_2", "reason_3")
COMPUTED = pa.schema(
    [("customer", pa.string()), *NUMBERS] + [(name, pa.string()) for name in ("segment", "model", "run")]
)
SCHEMA = pa.schema(
    [("customer", pa.string()), *NUMBERS] + [(name, pa.string()) for name in ("segment", *REASONS, "model", "run")]
)

Told = Callable[[int, int], None]


def write_scores(
    study: "Study", *, explained: int | None = explain.MOST, csv: bool = False, progress: Told = lambda done, of: None
) -> dict[str, Any]:
    """Score everyone who can leave at `study.known_until` into `data/processed/<dataset>/<as-of>/scores.parquet`.

    With another horizon or activity than the dataset file's the folder is another, see `Question.variant`. The file has
    one row a customer, in order of customer, and appears whole or not at all. Beside it lies the model that made it,
    see `models.chosen.Chosen.load`.

    Parameters
    ----------
    study : what is asked.
    explained : customers whose reasons are told, those most at risk and the most valuable; None for everyone.
    csv : whether to write `scores.csv` too.
    progress : told how many contributions are computed, and of how many.

    Returns
    -------
    dataset, as_of, known_until, run : what was scored.
    scores, csv : paths; the latter null if there is none.
    customers, explained : rows, and those of them that have reasons.
    model : who said who leaves, and, if that is another, what is spent.
    about : see `leaving.in_use`.

    Notes
    -----
    The columns are told in docs/scores.md.
    """
    chosen = leaving.opened(study)
    folder = study.processed
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scores.parquet"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
        computed, new = Path(scratch) / "computed.parquet", Path(scratch) / file.name
        _compute(study, chosen, computed)
        told = _reasons(study, chosen, computed, explained, progress)
        _join(computed, told, SCHEMA.with_metadata({ABOUT: json.dumps(_asked(study)).encode()}), new)
        if csv:
            _write_csv(new, new.with_suffix(".csv"))
            os.replace(new.with_suffix(".csv"), file.with_suffix(".csv"))
        os.replace(new, file)
    _keep(study, chosen, folder / "model")
    return {
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "known_until": study.known_until.isoformat(),
        "run": study.key,
        "scores": str(file),
        "csv": str(file.with_suffix(".csv")) if csv else None,
        "customers": pq.read_metadata(file).num_rows,
        "explained": len(told),
        "model": chosen.model,
        "about": study.in_use()["about"],
    }


def everyone(study: "Study") -> ir.Table:
    """The scores of everyone who can leave, where the rows are: `COMPUTED`; kept, so that they are computed once."""
    kept = Store(study.data.folder / f"scored-{study.key}")
    place = kept.file("scored.parquet", lambda file: _compute(study, leaving.opened(study), file))
    return engines.read(study.data.connection, place)


def _keep(study: "Study", chosen: Chosen, folder: Path) -> None:
    """The model beside its scores."""
    learned_from = date.fromisoformat(study.in_use()["about"]["learned_from"][0])
    chosen.save(
        folder, study.features(), question=_asked(study), settings=study.tuned, origin=learned_from, data=study.data.key
    )


def _asked(study: "Study") -> dict[str, Any]:
    """What the scores answer, for whoever judges them later."""
    return {
        "known_until": study.known_until.isoformat(),
        "churn": study.dataset.study.churn,
        "horizon_days": study.horizon_days,
        "active_within_days": study.active_within_days,
        "currency": study.dataset.currency,
    }


def _compute(study: "Study", chosen: Chosen, file: Path) -> None:
    """All but the reasons, of everyone active."""
    tables = study.data.tables
    known = build.features(tables, study.window(), study.active_within_days, study.dataset.study.churn)
    segments = rfm.segments(tables, study.known_until).select("customer", "segment")
    rows = known.left_join(segments, "customer").select("customer", "segment", *chosen.forecaster.columns)
    parameters, trees = chosen.pack()
    function = functools.partial(
        champion_scores.score_batches, parameters=parameters, trees=trees, earning=study.earning(), run=study.key
    )
    engines.write_mapped(study.data.connection, rows.order_by("customer"), function, COMPUTED, file)


def _reasons(study: "Study", chosen: Chosen, computed: Path, most: int | None, progress: Told) -> pd.DataFrame:
    """Reasons of those most at risk and the most valuable; index customer."""
    who = _who(engines.read(study.data.connection, computed), most)
    if not len(who):
        return pd.DataFrame(columns=list(REASONS), index=who, dtype="str")
    customers = ibis.memtable(pd.DataFrame({"customer": who.sort_values()}))
    # Before anything is computed, so that it is computed of these customers alone.
    tables = tables_of(study.data.tables, customers)
    features = build.frame(tables, study.window(), study.active_within_days, study.dataset.study.churn)
    contributions = of_champion(chosen.forecaster, features, progress=progress)
    return reasons(contributions, features, len(REASONS), currency=study.dataset.currency)


def _who(scores: ir.Table, most: int | None) -> pd.Index:
    if most is None:
        return pd.Index(scores.select("customer").to_pandas()["customer"])
    first = [
        scores.order_by([scores[name].desc(), scores.customer]).limit(most) for name in ("churn_probability", "clv")
    ]
    columns = ("customer", "churn_probability", "clv")
    found = first[0].select(*columns).union(first[1].select(*columns), distinct=True).order_by("customer").to_pandas()
    ranked = found.set_index("customer")
    return explain.chosen(ranked["churn_probability"], ranked["clv"], most)


def _join(computed: Path, told: pd.DataFrame, schema: pa.Schema, file: Path) -> None:
    """Scores and reasons in one file, a batch at a time."""
    with pq.ParquetFile(computed) as source, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in source.iter_batches(engines.ROWS):
            rows = batch.to_pandas().join(told, on="customer")
            writer.write_batch(pa.RecordBatch.from_pandas(rows[schema.names], schema=schema, preserve_index=False))


def _write_csv(source: Path, file: Path) -> None:
    with pq.ParquetFile(source) as scores, pyarrow.csv.CSVWriter(file, scores.schema_arrow) as writer:
        for batch in scores.iter_batches(engines.ROWS):
            writer.write_batch(batch)
