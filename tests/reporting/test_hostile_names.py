"""A whole report on a retailer whose every name is an attack: all of them are shown, none is obeyed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import hostile
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / ".ci"))

import browse_pages  # noqa: E402
import browser  # noqa: E402

pytestmark = pytest.mark.slow
SHOWN = {"04_churn": (hostile.IMAGE,), "05_campaigns": hostile.ATTACKS, "06_programme": hostile.ATTACKS}
"""Attacks that stand on pages as the names of groups, categories, campaigns and tiers."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of the report, by name."""
    root = tmp_path_factory.mktemp("hostile")
    hostile.make(root, customers=600, days=450, lines_per_customer=30.0)
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    run = subprocess.run(
        [Path(sys.executable).with_name("loyalty"), "report", "nasty"],
        cwd=root, capture_output=True, text=True, check=False, env=os.environ | {"LOYALTY_ROOT": str(root)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = {file.stem: file for file in (root / "reports" / "nasty").glob("latest/*.html")}
    assert len(found) > 9
    return found


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Tab]:
    if browser.program() is None:
        assert os.environ.get("LOYALTY_REQUIRE_CHROMIUM") != "1", "no Chromium on this machine"
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with browser.browsing() as chromium:
        yield browser.Tab(chromium)


def test_no_name_becomes_a_tag_an_attribute_or_a_link(pages: dict[str, Path]) -> None:
    for name, file in pages.items():
        soup = BeautifulSoup(file.read_text("utf-8"), "html.parser")
        assert not soup.find_all(["script", "iframe", "object", "embed", "form"]), name
        assert all(image["src"].startswith("data:image/png;base64,") for image in soup.find_all("img")), name
        assert not [tag for tag in soup.find_all(True) if any(each.startswith("on") for each in tag.attrs)], name
        links = [link["href"] for link in soup.find_all("a")]
        assert [
            link for link in links if not re.fullmatch(r"(\.\./)?([\w-]+/)?([\w-]+\.html)?(#[\w-]*)?", link)
        ] == [], name


def test_every_page_shows_the_title_as_it_is(pages: dict[str, Path]) -> None:
    for name, file in pages.items():
        soup = BeautifulSoup(file.read_text("utf-8"), "html.parser")
        assert f"{hostile.SCRIPT} Simulated retailer nasty {hostile.IMAGE}" in soup.get_text(), name
        assert soup.title is not None
        assert hostile.SCRIPT in soup.title.get_text(), name


@pytest.mark.parametrize("name", SHOWN)
def test_names_are_shown_as_they_are(pages: dict[str, Path], name: str) -> None:
    text = " ".join(BeautifulSoup(pages[name].read_text("utf-8"), "html.parser").get_text().split())
    assert [attack for attack in SHOWN[name] if attack not in text] == []


def test_names_stand_in_descriptions_of_figures_as_they_are(pages: dict[str, Path]) -> None:
    images = [
        image["alt"]
        for file in pages.values()
        for image in BeautifulSoup(file.read_text("utf-8"), "html.parser").find_all("img")
    ]
    assert any(hostile.SCRIPT in alt for alt in images)
    assert not any("&lt;" in alt or unescape(alt) != alt for alt in images)  # nor escaped twice


def test_a_browser_finds_nothing_to_run_to_load_or_to_complain_of(pages: dict[str, Path], tab: browser.Tab) -> None:
    assert [fault for file in pages.values() for fault in browse_pages.faults(tab, file, "")] == []
