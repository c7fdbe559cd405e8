"""`loyalty init` on a workbook and on a packed export: written, opened and counted without a change by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty.commands.init import init
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sales() -> pd.DataFrame:
    """Eighty members over a year."""
    random = np.random.default_rng(5)
    number = 1500
    seconds = random.integers(0, 365 * 86_400, number)
    return pd.DataFrame(
        {
            "N° client": [f"C{customer:04d}" for customer in random.integers(0, 80, number)],
            "Date d'achat": pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s"),
            "N° ticket": 10_000 + np.arange(number),
            "Montant": (random.gamma(3, 8, number) + 0.01).round(2),
        }
    )


def opened(project: Path, source: str) -> dict[str, object]:
    init(source, "ventes", False)
    return Prepared("ventes", load_dataset("ventes", project), project).facts


def test_a_workbook_becomes_a_dataset(project: Path, write_workbook: Callable[..., None]) -> None:
    log = sales()
    rows = [[*row[:1], row[1].to_pydatetime(), *row[2:]] for row in log.itertuples(index=False, name=None)]
    write_workbook(project / "data" / "raw" / "ventes.xlsx", ventes=[list(log.columns), *rows])
    facts = opened(project, "data/raw/ventes.xlsx")
    assert (facts["used"], facts["customers"]) == (len(log), log["N° client"].nunique())
    assert facts["spend"] == pytest.approx(log["Montant"].sum())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_a_packed_export_with_decimal_commas_becomes_a_dataset(
    encoding: str, project: Path, write_packed: Callable[[Path, bytes], None]
) -> None:
    log = sales()
    text = log.to_csv(index=False, sep=";", decimal=",")
    write_packed(project / "data" / "raw" / "ventes.csv.zst", text.encode(encoding))
    facts = opened(project, "data/raw/ventes.csv.zst")
    assert (facts["used"], facts["customers"]) == (len(log), log["N° client"].nunique())
    assert facts["spend"] == pytest.approx(log["Montant"].sum())
