"""Training data that is larger than memory: Parquet, a row group at a time.

XGBoost keeps each row group as a page on disk, in the bins that its histograms need, and reads the pages back for each
tree (Chen & Guestrin 2016, "XGBoost: A Scalable Tree Boosting System", section 4.3).
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import xgboost

BINS = 256
"""Bins of a feature, as many as XGBoost makes of data in memory."""


class RowGroups(xgboost.DataIter):
    """Row groups of Parquet files, in order, as XGBoost asks for them.

    Parameters
    ----------
    files : with the same columns; a null is a missing value.
    columns : features, in the order that the trees will know.
    label : column.
    cache : folder for the pages, which must exist; delete it when the trees are made.
    """

    def __init__(self, files: Sequence[Path], columns: Sequence[str], label: str, cache: Path) -> None:
        self.columns, self.label = list(columns), label
        self._groups = [
            (file, number) for file in files for number in range(pq.ParquetFile(file).metadata.num_row_groups)
        ]
        self._next = 0
        super().__init__(cache_prefix=str(cache / "pages"))

    def next(self, input_data: Callable[..., None]) -> bool:
        """Hand over one row group; whether there was one left."""
        if self._next == len(self._groups):
            return False
        rows = self._read(*self._groups[self._next])
        self._next += 1
        features = rows[self.columns].to_numpy(dtype="float64", na_value=np.nan)
        input_data(data=features, label=rows[self.label].to_numpy(dtype="float64"), feature_names=self.columns)
        return True

    def reset(self) -> None:
        """Begin again."""
        self._next = 0

    def _read(self, file: Path, number: int) -> pd.DataFrame:
        return pq.ParquetFile(file).read_row_group(number, columns=[*self.columns, self.label]).to_pandas()


def train(
    settings: dict[str, object],
    rounds: int,
    files: Sequence[Path],
    columns: Sequence[str],
    label: str,
    folder: Path | None = None,
) -> xgboost.Booster:
    """Trees from Parquet files, of which no more than a few row groups are in memory at a time.

    Parameters
    ----------
    settings : of XGBoost, with tree_method hist.
    rounds : number of trees.
    files, columns, label : see `RowGroups`.
    folder : where pages are kept while trees are made; the system's own place for such files if not given.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pages-") as cache:
        data = xgboost.ExtMemQuantileDMatrix(RowGroups(files, columns, label, Path(cache)), max_bin=BINS)
        trees = xgboost.train(settings | {"max_bin": BINS}, data, num_boost_round=rounds)
        del data  # which holds the pages open
    return trees
