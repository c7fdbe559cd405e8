"""Numbers in the dataset's number format: in words, in tables, at axes, and on the pages of a whole report."""

import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from loyalty import notation
from loyalty.errors import SettingsError
from loyalty.reporting import page, publish, style, tables, words
from loyalty.settings import load_dataset
from loyalty.study import Study

FORMATS = list(notation.MARKS)
NARROW = "\u202f"
PAGES = ("01_data_health", "03_lifetime_value")


@pytest.mark.parametrize(
    ("number_format", "shown"),
    [
        ("1,234.5", ["23,570", "0.123", "13.6 %", "1.2 points", "$4.6 million", "−€22.10", "1,234.50", "12,345.5"]),
        ("1.234,5", ["23.570", "0,123", "13,6 %", "1,2 points", "$4,6 million", "−€22,10", "1.234,50", "12.345,5"]),
        ("1'234.5", ["23’570", "0.123", "13.6 %", "1.2 points", "$4.6 million", "−€22.10", "1’234.50", "12’345.5"]),
        (
            "1 234,5",
            [f"23{NARROW}570", "0,123", "13,6 %", "1,2 points", "$4,6 million", "−€22,10", f"1{NARROW}234,50",
             f"12{NARROW}345,5"],
        ),
    ],
)  # fmt: skip
def test_a_number_is_written_in_the_format(number_format: notation.NumberFormat, shown: list[str]) -> None:
    with notation.of(number_format):
        assert [
            words.count(23570),
            words.number(0.12345),
            words.percent(0.13646),
            words.points(0.0123),
            words.money(4596039.58, "USD"),
            words.money(-22.1, "EUR"),
            tables.write(1234.5, "number", 2),
            words.exactly(12345.5),
        ] == shown
    assert words.count(23570) == "23,570"


def test_an_interval_and_a_cell_with_one_are_written_in_the_format() -> None:
    frame = pd.DataFrame({"spend": [1234.5], "low": [1000.0], "high": [1500.25]})
    with notation.of("1.234,5"):
        assert words.between(0.101, 0.205, words.percent) == "10,1 to 20,5 %"
        shown = tables.table(frame, columns={"spend": tables.money("Spend", "EUR", interval=("low", "high"))})
    assert "1.234 (1.000 to 1.500)" in shown.as_raw_html()


def test_names_and_code_in_a_kept_sentence_are_no_numbers() -> None:
    with notation.of("1.234,5"):
        assert words.told("1,234 lines of `v 1.5`, 2.5 % of 3.0.2, x1.5 and 2020-01-01.") == (
            "1.234 lines of `v 1.5`, 2,5 % of 3.0.2, x1.5 and 2020-01-01."
        )


def test_one_line_keeps_a_number_whole() -> None:
    assert page.plain(f"**1{NARROW}234** of\n2") == f"1{NARROW}234 of 2"


def test_ticks_are_written_in_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_dollars", str)
    figure, (plain, shares, thousands) = style.figure(720, 300, columns=3)
    for axes in (plain, shares, thousands):
        axes.set_ylim(0, 1)
        axes.set_yticks([0.0, 0.25, 0.5])
    thousands.set_yticks([0, 1500.5, 3001])
    style.percent(shares.yaxis, decimals=1)
    style.thousands(thousands.yaxis, unit="EUR")
    with notation.of("1.234,5"):
        for _ in range(2):  # a picture is drawn twice
            style.note(figure)
            figure.savefig(io.BytesIO())
        written = [[tick.get_text() for tick in axes.get_yticklabels()] for axes in (plain, shares, thousands)]
    page.picture(figure, "")
    assert written == [["0,00", "0,25", "0,50"], ["0,0 %", "25,0 %", "50,0 %"], ["0 EUR", "1.500,5 EUR", "3.001 EUR"]]


def test_another_format_is_refused(make_shop: Callable[..., Path], shop_toml: str) -> None:
    root = make_shop("customer,time,amount\n", shop_toml.replace("currency =", 'number_format = "1 234.5"\ncurrency ='))
    expected = r"shop.toml: number_format: expected '1,234.5', '1.234,5', '1 234,5' or \"1'234.5\", found '1 234.5'"
    with pytest.raises(SettingsError, match=expected):
        load_dataset("shop", root)


ENGLISH = re.compile(r"(?<![\w.,])(\d{1,3}(,\d{3})+\.\d+|[1-9]\d{0,2}(,\d{3})+|\d+\.\d{1,2}|0\.\d+)(?!\w|[.,]\d)")
"""A number in the other format; one with three digits behind a comma is a decimal only if it begins with 0."""


def readable(html: str) -> list[str]:
    """What a page says, and what its pictures do, without code, versions and what the analyst's file says itself."""
    soup = BeautifulSoup(html, "html.parser")
    pictures = [str(picture.get("alt", "")) for picture in soup.find_all("img")]
    labels = [str(tag["aria-label"]) for tag in soup.find_all(attrs={"aria-label": True})]
    for tag in soup(["style", "script", "code", "pre", "footer"]):
        tag.decompose()
    return [*soup.stripped_strings, *pictures, *labels]


@pytest.fixture
def as_before() -> Iterator[None]:
    """A test after which numbers are written as before: an opened dataset decides for the whole process."""
    with notation.of(notation.DEFAULT):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("as_before")
def test_a_report_is_written_in_the_format(
    make_shop: Callable[..., Path], simulated_log: pd.DataFrame, shop_toml: str
) -> None:
    toml = shop_toml.replace("currency =", 'number_format = "1.234,5"\ncurrency =')
    root = make_shop(simulated_log, toml)
    for name in PAGES:
        shutil.copy(Path(__file__).parents[1] / "notebooks" / f"{name}.ipynb", root / "notebooks")
    study = Study.open("shop", root=root)
    assert words.count(1234) == "1.234"
    index = publish.publish(study)
    pages = {path.stem: readable(path.read_text("utf-8")) for path in index.parent.glob("*.html")}
    assert {"index", *PAGES, "model-card", "model-card-value"} <= set(pages)
    wrong = {name: [text for text in said if ENGLISH.search(text)] for name, said in pages.items()}
    # Versions of libraries on the model cards, and log scores, whose three decimals look like thousands.
    fine = re.compile(r"^(\d+\.\d+(\.\d+)*|−\d,\d{3})$")
    assert {name: found for name, said in wrong.items() if (found := [t for t in said if not fine.match(t)])} == {}
    assert all(re.search(r"\d,\d", " ".join(said)) for said in pages.values())
    (root / "data" / "shop.toml").write_text(shop_toml, "utf-8")
    assert Study.open("shop", root=root).key != study.key
