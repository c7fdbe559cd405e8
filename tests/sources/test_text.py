"""Text: encoding and delimiter are found out by fixed rules, no row is lost, numbers are read as people write them."""

import csv
import gzip
import io
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.errors import DataError
from loyalty.schema import Table
from loyalty.sources.encoding import find_encoding, opened
from loyalty.sources.files import connect, open_table
from loyalty.sources.landing import land
from loyalty.sources.numerals import number
from loyalty.sources.text import find_dialect, write_parquet

WHERE = "data/shop.toml: transactions"
CHINESE = (
    "会员编号,交易时间,实付金额,门店\n000123,2024-05-01 12:30:00,35.50,上海市静安区南京西路店\n"
    "000124,2024-05-02,8.00,北京西单\n"
)
GERMAN = "Kunde;Größe;Straße;Betrag\n007;groß;Mühlenstraße 5;12,50\n008;klein;Äußere Gasse;3,00\n"
FRENCH = "client;prénom;montant\n1;Zoé;5\n2;François;7\n3;Noël créée à Besançon;7\n"
PORTUGUESE = "DESCRIÇÃO;OPERAÇÃO;PREÇO\nPÃO;PROMOÇÃO;3\nFEIJÃO;AVIÕES;4\n"
EURO = "who,price\n1,5 €\n2,£7\n"


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        ("who,what\n1,2\n", "ascii", "utf-8"),
        ("", "ascii", "utf-8"),
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (CHINESE, "gbk", "gb18030"),
        (CHINESE + "000125,2024-05-03,9,㐀𠀀号店\n", "gb18030", "gb18030"),
        # One character apart from the others, between delimiters: male, female.
        ("id,sex,amount\n1,男,5\n2,女,7\n", "gbk", "gb18030"),
        ("id,姓名\n1,王喆\n2,李囧\n", "gbk", "gb18030"),
        (GERMAN, "latin-1", "cp1252"),
        (GERMAN, "utf-8", "utf-8"),
        (FRENCH, "cp1252", "cp1252"),
        (PORTUGUESE, "latin-1", "cp1252"),
        (EURO, "cp1252", "cp1252"),
        ("a\n\x81x é\n", "latin-1", "latin-1"),
    ],
)
def test_the_encoding_is_found_out(text: str, written: str, found: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(text.encode(written))
    assert find_encoding(tmp_path / "log.csv") == found
    assert text.encode(written).decode(found) == text or found == "utf-16"


def test_the_whole_file_decides_on_its_encoding(tmp_path: Path) -> None:
    plain = "x,1\n" * 2_000_000
    (tmp_path / "log.csv").write_bytes(f"who,n\n{plain}上海,北京\n".encode("gbk"))
    assert find_encoding(tmp_path / "log.csv") == "gb18030"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04\x00\x00", "it holds zero bytes: it is no text, or its encoding must be given"),
        ("клиент;сумма\nиванов;5\nпетров;7\n".encode("cp1251"), "its encoding cannot be found out; give it"),
    ],
)
def test_what_is_no_known_text_is_told(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(ValueError, match=told):
        find_encoding(tmp_path / "log.csv")


def test_utf8_with_a_broken_byte_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    """Read as Chinese or Latin-1, all other names would become nonsense without a word."""
    (tmp_path / "log.csv").write_bytes(CHINESE.encode() + "店,北".encode()[:-1] + b"\n")
    assert find_encoding(tmp_path / "log.csv") == "utf-8"


@pytest.mark.parametrize(
    ("text", "delimiter", "columns"),
    [
        ("a,b,c\n1,2,3\n", ",", ("a", "b", "c")),
        ("a;b;c\n1,5;2,5;3,5\n", ";", ("a", "b", "c")),
        ("a\tb\n1,2\t3,4\n", "\t", ("a", "b")),
        ("a|b\n1|2\n", "|", ("a", "b")),
        ('"name; with, signs",b\n"x;y",2\n', ",", ("name; with, signs", "b")),
        ("Preis, EUR;Tag, lokal\n1,5;2020-01-01\n", ";", ("Preis, EUR", "Tag, lokal")),
        ('a;b\n"1\n,2";3\n', ";", ("a", "b")),
        ("alone\n1\n", ",", ("alone",)),
        ("a;b\n", ";", ("a", "b")),
        (" 客户 ,b,,B\r\n1,2,3,4\r\n", ",", ("客户", "b", "column_3", "B_1")),
    ],
)
def test_the_delimiter_and_the_header_are_found_out(
    text: str, delimiter: str, columns: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "log.csv").write_text(text, "utf-8", newline="")
    assert find_dialect(tmp_path / "log.csv", "utf-8") == (delimiter, columns)


def test_a_delimiter_that_is_given_is_used(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a^b,c\n1^2,3\n")
    assert find_dialect(tmp_path / "log.csv", "utf-8", "^") == ("^", ("a", "b,c"))


def test_a_dialect_is_found_though_the_head_ends_inside_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.sources.text.HEAD", 20)
    (tmp_path / "log.csv").write_text('a;b\n1;2\n3;"4,5,6,7,8,9\n\n\n,1"\n')
    assert find_dialect(tmp_path / "log.csv", "utf-8") == (";", ("a", "b"))


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_packed_files_are_unpacked(suffix: str, tmp_path: Path, write_packed: Callable[[Path, bytes], None]) -> None:
    file = tmp_path / f"log.csv{suffix}"
    write_packed(file, b"a,b\n1,2\n")
    with opened(file) as stream:
        assert stream.read() == b"a,b\n1,2\n"


# Rows are exact: the second opinion is Python's csv module

PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
TRICKY = st.text(st.sampled_from("\",;\t|\n\r #\\'é客1.-"), max_size=6)
ROWS = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(PLAIN | TRICKY, min_size=width, max_size=width), max_size=12)
)


def read_back(file: Path, **options: Any) -> list[tuple[str, ...]]:
    table = Table(source=str(file), **options)
    landed = land(table, file.parent, file.parent / "kept", "data/x.toml: transactions")
    rows = open_table(connect(), table, landed, "data/x.toml: transactions").to_pyarrow().to_pylist()
    return sorted(tuple(value or "" for value in row.values()) for row in rows)


@pytest.mark.slow
@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|"),
    ends=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)
def test_all_rows_arrive_as_they_were_written(
    rows: list[list[str]], delimiter: str, ends: str, quoting: Any, encoding: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    width = len(rows[0]) if rows else 2
    text = io.StringIO()
    # The writer leaves a lone line end of another kind without quotes; so do few programs.
    quoting = csv.QUOTE_ALL if any("\r" in value or "\n" in value for row in rows for value in row) else quoting
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ends, quoting=quoting)
    writer.writerow([f"c{at}" for at in range(width)])
    writer.writerows(rows)
    file = tmp_path_factory.mktemp("rows") / "log.csv"
    file.write_bytes(text.getvalue().encode(encoding))
    again = csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter)
    expected = sorted(tuple(row) for row in again if row)[: len(rows) + 1]
    expected.remove(tuple(f"c{at}" for at in range(width)))
    assert len(expected) == len(rows)
    assert read_back(file, encoding=encoding, delimiter=delimiter) == expected


@pytest.mark.slow
def test_a_large_file_with_line_breaks_in_values_keeps_all_rows(tmp_path: Path) -> None:
    """Longer than the blocks that several threads read, each of which would begin inside a value."""
    draw = random.Random(3)
    comments = ["".join(draw.choices('ab,"\n 1é', k=400)) for _ in range(50)]
    with (tmp_path / "log.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow("abc")
        writer.writerows([at, comments[at % 50], at] for at in range(150_000))
    table = Table(source="log.csv")
    read = open_table(connect(), table, land(table, tmp_path, tmp_path / "kept", "x"), "x")
    found = read.agg(rows=read.count(), customers=read.a.nunique(), shifted=(read.a != read.c).sum()).to_pyarrow()
    assert found.to_pylist() == [{"rows": 150_000, "customers": 150_000, "shifted": 0}]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\r\n3,4\n5,6", [("1", "2"), ("3", "4"), ("5", "6")]),
        ("a,b\r1,2\r3,4\r", [("1", "2"), ("3", "4")]),
        ("a,b\n1,2,\n3,4,\n", [("1", "2"), ("3", "4")]),
        ("a,b\n\n1,2\n \n\n3,4\n\n", [("1", "2"), ("3", "4")]),
        ("a,b\n#1,2\n,\n-,NULL\n", [("", ""), ("#1", "2"), ("-", "NULL")]),
        ('a,b\n12" pizza,"6"" pan"\n', [('12" pizza', '6" pan')]),
        ('a,b\n"12\\" pizza",1\n"x","y\\\\z"\n', [('12" pizza', "1"), ("x", "y\\z")]),
        ("a,b\n007,1e5\n1.0,0x1F\n", [("007", "1e5"), ("1.0", "0x1F")]),
        ("a\n1\n\n2\n", [("1",), ("2",)]),
        ("a,b\n", []),
        ("a,b", []),
    ],
)
def test_what_other_programs_write_is_read(text: str, rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(text, newline="")
    assert read_back(tmp_path / "log.csv") == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n3\n", "line 3 has 1 values, expected 2 as in the header"),
        ('a,b\n"1\n1",2\n3,4,5\n', "line 4 has 3 values, expected 2"),
        ('a,b\n1,2\n"3,4\n5,6\n', "line 4: unexpected end of data; is a quote missing, or not doubled"),
        ('a,b\n"1"2,3\n', "line 2: ',' expected after '\"'; is a quote missing, or not doubled"),
        ("", "it is empty; expected a line with the names of the columns"),
    ],
)
def test_a_line_that_does_not_fit_is_told(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        write_parquet(tmp_path / "log.csv", "utf-8", None, tmp_path / "log.parquet")


def test_rows_are_written_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty.sources.text.ROWS", 10)
    (tmp_path / "log.csv").write_text("a,b\n" + "1,2\n" * 25)
    write_parquet(tmp_path / "log.csv", "utf-8", None, tmp_path / "log.parquet")
    told = pq.read_metadata(tmp_path / "log.parquet")
    assert (told.num_rows, told.num_row_groups) == (25, 3)


# Numbers


def numbers(values: list[str | None], **options: Any) -> list[float | None]:
    column = ibis.memtable(pa.table({"at": range(len(values)), "text": pa.array(values, pa.string())}))
    read = connect().to_pyarrow(column.select("at", read=number(column.text, Table(source="x", **options))))
    return [row["read"] for row in sorted(read.to_pylist(), key=lambda row: row["at"])]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("12.50", 12.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-3", -3.0),
        ("+3", 3.0),
        ("−3", -3.0),
        ("3-", -3.0),
        ("(3.25)", -3.25),
        ("1e3", 1000.0),
        ("1.5E-2", 0.015),
        ("  7 ", 7.0),
        ("\u00a07\u202f", 7.0),
        ("$7.50", 7.5),
        ("-$7.50", -7.5),
        ("$-7.50", -7.5),
        ("7.50 €", 7.5),
        ("¥7", 7.0),
        ("(£7)", -7.0),
        ("0.1", 0.1),
        ("9007199254740993", 9007199254740992.0),
        ("", None),
        (None, None),
        ("abc", None),
        ("1,5", None),
        ("1 5", None),
        ("1.5.2", None),
        ("12.5kg", None),
        ("--5", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("2024-01-01", None),
        ("0x1F", None),
        ("5d", None),
        ("e5", None),
    ],
)
def test_a_number_is_read_as_a_person_reads_it(text: str | None, value: float | None) -> None:
    assert numbers([text]) == [value]


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "value"),
    [
        (",", None, "12,50", 12.5),
        (",", None, "12.50", None),
        (",", ".", "1.234,56", 1234.56),
        (",", ".", "-1.234.567,8 €", -1234567.8),
        (",", ".", "1234,5", 1234.5),
        (",", ".", "12.5", None),
        (",", " ", "1 234,5", 1234.5),
        (",", " ", "1\u202f234\u00a0567,5", 1234567.5),
        (".", ",", "1,234.5", 1234.5),
        (".", ",", "12,34,567.8", 1234567.8),
        (".", ",", "1,5", None),
        (".", "'", "1'234.5", 1234.5),
        (".", "'", "1’234.5", 1234.5),
    ],
)
def test_decimal_comma_and_thousands(decimal: str, thousands: str | None, text: str, value: float | None) -> None:
    assert numbers([text], decimal=decimal, thousands=thousands) == [value]


STYLES = [(".", None), (",", None), (".", ","), (",", "."), (",", " "), (".", "'")]


@settings(max_examples=30)
@given(values=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=20), style=st.sampled_from(STYLES))
def test_money_survives_how_it_is_written(values: list[Any], style: tuple[Any, Any]) -> None:
    decimal, thousands = style

    def written(value: Any) -> str:
        plain = f"{value:,.2f}" if thousands else f"{value:.2f}"
        return plain.translate({ord(","): thousands or "", ord("."): decimal})

    assert numbers([written(value) for value in values], decimal=decimal, thousands=thousands) == list(
        map(float, values)
    )


def test_columns_that_are_numbers_already_stay() -> None:
    frame = pd.DataFrame({"n": [1, 2, 3], "x": [1.5, float("nan"), float("inf")], "b": [True, False, True]})
    table = ibis.memtable(frame)
    how = Table(source="x", decimal=",", thousands=".")
    read = connect().to_pyarrow(table.select(**{name: number(table[name], how) for name in table.columns})).to_pydict()
    assert read == {"n": [1.0, 2.0, 3.0], "x": [1.5, None, None], "b": [1.0, 0.0, 1.0]}


def test_gzip_that_is_cut_short_is_told(tmp_path: Path) -> None:
    packed = gzip.compress(CHINESE.encode() * 50)
    (tmp_path / "log.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(EOFError, match="ended before the end-of-stream"):
        find_encoding(tmp_path / "log.csv.gz")


# A heading that is not in the first line, a delimiter that is not the one


TITLED = "Umsätze 2024\n\nKunde;Tag;Betrag\n7;2024-01-01;3,50\n8;2024-01-02;x\n"


@pytest.mark.parametrize("written", ["utf-8", "cp1252"])
@pytest.mark.parametrize("delimiter", [None, ";"])
def test_what_stands_above_the_header_is_left_out(written: str, delimiter: str | None, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(TITLED.encode(written))
    table = Table(source="log.csv", header_row=3, delimiter=delimiter)
    rows = open_table(connect(), table, land(table, tmp_path, tmp_path / "kept", WHERE), WHERE)
    assert sorted(rows.to_pyarrow().to_pylist(), key=str) == [
        {"Kunde": "7", "Tag": "2024-01-01", "Betrag": "3,50"},
        {"Kunde": "8", "Tag": "2024-01-02", "Betrag": "x"},
    ]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(TITLED + "9;2024-01-03\n", "utf-8")
    with pytest.raises(ValueError, match="line 6 has 2 values, expected 3 as in the header"):
        write_parquet(tmp_path / "log.csv", "utf-8", ";", tmp_path / "rows", header_row=3)
    with pytest.raises(ValueError, match="header_row is 9, and it has fewer lines"):
        write_parquet(tmp_path / "log.csv", "utf-8", ";", tmp_path / "rows", header_row=9)


@pytest.mark.parametrize(
    ("text", "said", "meant"),
    [
        ("a;b;c\n1;2;3\n4;5;6\n", ",", ";"),
        ("a;b;c\n1;2,5;3\n4;5,0;6\n", ",", ";"),
        ("a\tb, net\n1\t2\n4\t5\n", ",", "\t"),
        ("a,b\n1,2\n", ";", ","),
    ],
)
def test_a_wrong_delimiter_is_told_with_the_right_one(text: str, said: str, meant: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(text)
    told = re.escape(f"delimiter is {said!r}, but the values seem to be separated by {meant!r}")
    with pytest.raises(DataError, match=rf"^{WHERE}\.source: log\.csv cannot be read as csv: {told}$"):
        land(Table(source="log.csv", delimiter=said), tmp_path, tmp_path / "kept", WHERE)


def test_a_delimiter_that_is_given_is_believed_where_it_may_be_right(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a;b,c\n1;2,3\n")
    assert find_dialect(tmp_path / "log.csv", "utf-8", ";").columns == ("a", "b,c")
    assert find_dialect(tmp_path / "log.csv", "utf-8", ",").columns == ("a;b", "c")
