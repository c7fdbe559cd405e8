"""Write a simulated retailer: tables, dataset file and truth, chunk by chunk in bounded memory."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import SettingsError
from .chunk import Retailer, Tables, shared_tables
from .describe import MARK, TRUTH, dataset_file, diary
from .purchases import with_lines_per_customer
from .settings import CHANNELS, CHUNK, Simulation

TABLES = (
    "transactions", *(f"transactions_{channel}" for channel in CHANNELS), "identity", "products", "customers",
    "campaigns", "contacts", "redemptions", "points", "survey", "consent", "events",
)  # fmt: skip
_SUMMED = ("effect", "expected_orders", "expected_spend", "orders", "spend")


def simulate(
    settings: Simulation,
    name: str,
    root: Path,
    *,
    force: bool = False,
    progress: Callable[[int], None] = lambda customers: None,
) -> Path:
    """Write a retailer into a project.

    Tables go to `data/raw/<name>/`, what is true of them to `data/raw/<name>-truth/`, and the dataset file, which does
    not name the truth, to `data/`. They appear at the end, whole.

    Parameters
    ----------
    settings : what the retailer is like.
    name : of the dataset: small letters, digits, `-` and `_`.
    root : the project's folder.
    force : whether to replace a simulated retailer of that name.
    progress : told, after each chunk, how many customers are done.

    Returns
    -------
    The dataset file.

    Raises
    ------
    SettingsError
        If the name cannot be one, something of that name is there already, or, with `force`, something that no
        simulation wrote.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", name):
        raise SettingsError(f"name: expected small letters, digits, - and _, found {name!r}")
    name = name.replace("_", "-")
    if name.endswith("-truth"):
        raise SettingsError(f"name: expected one that does not end like the folder of a truth, found {name!r}")
    settings = with_lines_per_customer(settings)
    raw = root / "data" / "raw"
    folders, described = (raw / name, raw / f"{name}-truth"), root / "data" / f"{name.replace('-', '_')}.toml"
    _check_free(root, name, folders, described, force)
    raw.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=raw, prefix=".new-") as scratch:
        new = Path(scratch) / "tables", Path(scratch) / "truth"
        with _Folders(*new) as written:
            for number, tables in enumerate(_all_tables(settings), start=1):
                written.write(tables)
                progress(min(number * CHUNK, settings.customers))
        facts = {"settings": settings.model_dump(mode="json"), "columns": TRUTH}
        (new[1] / "truth.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
        (Path(scratch) / "file").write_text(dataset_file(settings, name, written.names), "utf-8")
        for made, place in zip((*new, Path(scratch) / "file"), (*folders, described), strict=True):
            if place.is_dir():
                shutil.move(place, Path(scratch) / f"old-{place.name}")
            os.replace(made, place)
    return described


def simulate_frames(settings: Simulation) -> dict[str, pd.DataFrame]:
    """Simulate a retailer in memory.

    Returns
    -------
    The tables by name, such as `transactions`, `customers`, `contacts`; those of the truth begin with `truth_`, and
    `describe.TRUTH` says what their columns mean.

    Examples
    --------
    >>> frames = simulate_frames(Simulation(customers=100, days=200))
    >>> sorted(set(frames))[:4]
    ['campaigns', 'consent', 'contacts', 'customers']
    >>> len(frames["truth_customers"])
    100
    """
    parts: dict[str, list[pa.Table]] = {}
    for tables in _all_tables(with_lines_per_customer(settings)):
        for name, table in tables.items():
            parts.setdefault(name, []).append(table)
    return {name: pa.concat_tables(tables).to_pandas() for name, tables in parts.items()}


def _all_tables(settings: Simulation) -> Iterator[Tables]:
    """Every chunk's tables, with the shared ones in the last."""
    retailer = Retailer.of(settings)
    sums, dirt = [], []
    rest = shared_tables(retailer)
    for tables in retailer.chunks():
        if "truth_contacts" in tables:
            sums.append(_sums(tables["truth_contacts"]))
        if "truth_dirt" in tables:
            dirt.append(tables.pop("truth_dirt"))
        yield tables
    if sums:
        rest["truth_campaigns"] = _effects(rest["truth_campaigns"], pd.concat(sums))
    if dirt:
        total = pa.concat_tables(dirt).to_pandas().groupby("kind", sort=False, as_index=False)["lines"].sum()
        rest["truth_dirt"] = pa.Table.from_pandas(total, preserve_index=False)
    if not settings.plain and (told := diary(settings)):
        rest["events"] = pa.table(dict(zip(("day", "until", "name"), map(list, zip(*told, strict=True)), strict=True)))
    yield rest


def _sums(contacts: pa.Table) -> pd.DataFrame:
    """Of one chunk: customers of each campaign and group, and sums over the treated."""
    frame = contacts.to_pandas()
    treated = frame["group"] == "treated"
    sums = frame[treated].groupby("campaign")[list(_SUMMED)].sum()
    counts = frame.groupby("campaign").agg(drawn=("customer", "size"))
    return counts.join(sums, how="outer").fillna(0.0).assign(treated=treated.groupby(frame["campaign"]).sum())


def _effects(campaigns: pa.Table, sums: pd.DataFrame) -> pa.Table:
    """The campaigns with what they did on average to those treated."""
    total = sums.groupby("campaign").sum()
    means = total[list(_SUMMED)].div(total["treated"], axis=0)
    counts = pd.DataFrame({"treated": total["treated"], "held_out": total["drawn"] - total["treated"]})
    told = campaigns.to_pandas().set_index("campaign").join(counts).fillna({"treated": 0, "held_out": 0})
    told = told.astype({"treated": int, "held_out": int}).join(means)
    return pa.Table.from_pandas(told.reset_index(), preserve_index=False)


class _Folders:
    """Two folders of Parquet files, tables and truth, that grow chunk by chunk."""

    def __init__(self, tables: Path, truth: Path) -> None:
        self.names: list[str] = []
        self._tables, self._truth = tables, truth
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._open = ExitStack()
        for folder in (tables, truth):
            folder.mkdir()

    def __enter__(self) -> "_Folders":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def write(self, tables: Tables) -> None:
        """Append to each table's file."""
        for name, table in tables.items():
            if name not in self._writers:
                secret = name.startswith("truth_")
                path = (self._truth if secret else self._tables) / f"{name.removeprefix('truth_')}.parquet"
                writer = pq.ParquetWriter(path, table.schema, compression="zstd")
                self._writers[name] = self._open.enter_context(writer)
                self.names.append(name)
            self._writers[name].write_table(table)


def _check_free(root: Path, name: str, folders: Iterable[Path], described: Path, force: bool) -> None:
    """Refuse to write over anything; with `force`, over anything but a simulated retailer."""
    files = [described, described.with_name(f"{name}.toml")]
    for place in (*folders, *files):
        shown = place.relative_to(root)
        if place.exists() and not force:
            raise SettingsError(f"{shown} is there already: choose another name, or write over it with --force")
    for place in files:
        if place.exists() and not place.read_text("utf-8", errors="replace").startswith(MARK):
            raise SettingsError(f"{place.relative_to(root)} was not written by a simulation: choose another name")
    own = {f"{table}.parquet" for table in (*TABLES, *TRUTH)} | {"truth.json"}
    for place in folders:
        if place.exists():
            inside = [entry.name for entry in place.iterdir()] if place.is_dir() else [place.name]
            foreign = sorted(set(inside) - own)
            if foreign:
                raise SettingsError(
                    f"{place.relative_to(root)} holds {foreign[0]}, which no simulation wrote: choose another name"
                )
