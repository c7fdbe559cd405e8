"""A PostgreSQL of our own for the tests that talk to one, and workbooks written by hand."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import psycopg
import pyarrow as pa
import pytest


class Postgres(NamedTuple):
    """A running server; `password` is of `user`, who may do anything."""

    host: str
    port: int
    user: str
    password: str

    @property
    def url(self) -> str:
        return f"postgres://{self.user}@{self.host}:{self.port}/shop"

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname="shop",
            autocommit=True,
        )


def _programs() -> Path | None:
    """Folder of the newest PostgreSQL server on this machine."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A server on loopback that asks for a password; it and its folder are gone after the tests."""
    programs = _programs()
    if programs is None:
        missing = "no PostgreSQL server on this machine: apt-get install postgresql"
        if os.environ.get("LOYALTY_REQUIRE_POSTGRES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    home = Path(tempfile.mkdtemp(prefix="loyalty-postgres-"))
    # The server refuses to run as root.
    own = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    def run(*command: object) -> None:
        done = subprocess.run([*own, *map(str, command)], cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    password = secrets.token_hex(8)
    (home / "password").write_text(password)
    if own:
        for path in (home, home / "password"):
            shutil.chown(path, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = home / "cluster"
    started = False
    try:
        run(programs / "initdb", "-D", cluster, "-U", "owner", "-A", "scram-sha-256", "--pwfile", home / "password",
            "-E", "UTF8", "--locale", "C", "--no-sync")  # fmt: skip
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={home} -c fsync=off"
        run(programs / "pg_ctl", "-D", cluster, "-l", home / "log", "-o", options, "-w", "start")
        started = True
        found = Postgres("127.0.0.1", port, "owner", password)
        with psycopg.connect(
            host=found.host, port=port, user="owner", password=password, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE shop")
        yield found
    finally:
        if started:
            run(programs / "pg_ctl", "-D", cluster, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """The server with an empty database, whose password is in the environment."""
    for variable in ("PGPASSWORD", "PGHOST", "PGUSER", "PGPORT", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LOYALTY_DB_PASSWORD", server.password)
    yield server
    with server.connect() as connection:
        mine = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema'"
        for (schema,) in connection.execute(mine).fetchall():
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE')
        connection.execute("CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")


Cell = str | float | bool | date | None


@pytest.fixture
def write_workbook() -> Callable[..., None]:
    """Return a function that writes an .xlsx: sheets of rows of text, numbers, truths, dates and times."""
    return _write_workbook


def _write_workbook(file: Path, **sheets: Sequence[Sequence[Cell]]) -> None:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}">'
            f'<Relationship Id="r0" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(
            f'<sheet name="{escape(name)}" sheetId="{at}" r:id="r{at}"/>' for at, name in enumerate(sheets, 1)
        )
        archive.writestr("xl/workbook.xml", f'<workbook {main} xmlns:r="{office}"><sheets>{names}</sheets></workbook>')
        parts = "".join(
            f'<Relationship Id="r{at}" Type="{office}/worksheet" Target="worksheets/sheet{at}.xml"/>'
            for at in range(1, len(sheets) + 1)
        )
        styles = f'<Relationship Id="styles" Type="{office}/styles" Target="styles.xml"/>'
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}">{parts}{styles}</Relationships>'
        )
        # 14 and 22 are the built-in formats of a date and of a time.
        formats = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22))
        archive.writestr("xl/styles.xml", f'<styleSheet {main}><cellXfs count="3">{formats}</cellXfs></styleSheet>')
        for at, rows in enumerate(sheets.values(), 1):
            lines = "".join(f'<row r="{number}">{_cells(row, number)}</row>' for number, row in enumerate(rows, 1))
            archive.writestr(
                f"xl/worksheets/sheet{at}.xml", f"<worksheet {main}><sheetData>{lines}</sheetData></worksheet>"
            )


def _cells(row: Sequence[Cell], number: int) -> str:
    return "".join(_cell(value, f"{chr(65 + at)}{number}") for at, value in enumerate(row) if value is not None)


def _cell(value: Cell, place: str) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    if isinstance(value, date):
        timed = isinstance(value, datetime)
        instant = value if isinstance(value, datetime) else datetime.combine(value, datetime.min.time())
        days = (instant - datetime(1899, 12, 30)).total_seconds() / 86400
        return f'<c r="{place}" s="{2 if timed else 1}"><v>{days!r}</v></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


@pytest.fixture
def write_packed() -> Callable[[Path, bytes], None]:
    """Return a function that writes bytes, packed as the file's name says: `.gz`, `.zst`."""

    def write(file: Path, content: bytes) -> None:
        packing = {".gz": "gzip", ".zst": "zstd"}.get(file.suffix)
        with pa.output_stream(file, compression=packing) as stream:
            stream.write(content)

    return write
