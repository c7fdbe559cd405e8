"""The archive holds every run, keeps questions apart, and says nothing of what an error said."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from loyalty.reporting import archive, place
from past_runs import DATASET, leave, numbers

BRIDGE = {
    "as_of": "2020-01-01", "before": 10_000, "now": 12_050, "refused": "", "code": False,
    "steps": [
        {"step": "corrections", "label": "Corrections of the data", "customers": None, "cents": 0},
        {"step": "lost", "label": "Customers lost", "customers": 12, "cents": -3_000},
        {"step": "behaviour", "label": "What the others did since", "customers": 90, "cents": 1_050},
        {"step": "spend", "label": "Spend per purchase", "customers": None, "cents": 0},
        {"step": "new", "label": "New customers", "customers": 30, "cents": 4_000},
        {"step": "refit", "label": "Model fitted anew", "customers": None, "cents": 0},
    ],
}  # fmt: skip


def page(root: Path) -> BeautifulSoup:
    path = archive.rebuild(root, "shop", DATASET)
    assert path == root / "reports" / "shop" / "archive.html"
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def words_of(soup: BeautifulSoup) -> str:
    return " ".join(soup.get_text(" ").split())


def test_every_measure_is_drawn_over_all_runs(tmp_path: Path) -> None:
    first = leave(tmp_path, "2020-01-01", numbers(500, 0.30))
    leave(tmp_path, "2020-02-01", numbers(480, 0.36), bridge=BRIDGE | {"run": first["run"]})
    soup = page(tmp_path)
    drawn = [svg["aria-label"] for svg in soup.find_all("svg")]
    assert drawn == [
        "Active customers in 2 reports: 500 on 1 January 2020, 480 on 1 February 2020.",
        "Customers who left in 2 reports: 30 % on 1 January 2020, 36 % on 1 February 2020. Goal: 25 %.",
    ]
    notes = [note.get_text() for note in soup.select(".courses .note")]
    assert notes == ["from 500 on 1 January 2020", "from 30\u00a0% on 1 January 2020; broken line: goal, 25\u00a0%"]
    text = words_of(soup)
    assert "1 February 2020 against 1 January 2020" in text
    assert "beyond chance: customers who left up 6.0 points" in text
    assert "those known now €120: €20.50 more, 20.5 %" in text
    assert "Customers lost (12), active then and not now: €30.00 less" in text


def test_promised_lies_with_realised(tmp_path: Path) -> None:
    for day, said, happened in (("2020-01-01", 0.2, 0.25), ("2020-02-01", 0.22, 0.21)):
        leave(tmp_path, day, numbers(scores_promised=said, scores_realised=happened))
    models = [svg["aria-label"] for svg in page(tmp_path).find_all("svg")]
    assert models == [
        "scores realised in 2 reports: 25 % on 1 January 2020, 21 % on 1 February 2020. "
        "Promised in 2 reports: 20 % on 1 January 2020, 22 % on 1 February 2020."
    ]


def test_another_horizon_has_its_own_part(tmp_path: Path) -> None:
    leave(tmp_path, "2020-01-01", numbers(7777), horizon_days=60, place="2020-01-01-h60")
    leave(tmp_path, "2020-01-01", numbers(222))
    leave(tmp_path, "2020-02-01", numbers(333))
    own, other = page(tmp_path).find_all("section")
    assert own.h2.get_text() == "Looking 28 days ahead, active within 56 days"
    assert other.h2.get_text() == "Looking 60 days ahead, active within 56 days"
    assert "7,777" not in words_of(own)
    assert "222" not in words_of(other)
    assert "There is one report so far" in words_of(other)


def test_it_leads_to_a_report_that_is_there(tmp_path: Path) -> None:
    leave(tmp_path, "2020-01-01", numbers(), horizon_days=60, place="2020-01-01-h60")
    leave(tmp_path, "2020-02-01", numbers(), horizon_days=60, place="2020-02-01-h60")

    def homes() -> set[str]:
        return {str(link["href"]) for link in page(tmp_path).find_all("a") if link.text in ("here", "Overview")}

    assert homes() == {"2020-02-01-h60/index.html"}
    leave(tmp_path, "2020-01-01", numbers())
    (tmp_path / "reports" / "shop" / "latest").symlink_to("2020-01-01")
    assert homes() == {"latest/index.html"}


def test_what_is_not_kept_any_more_is_told_but_not_linked(tmp_path: Path) -> None:
    leave(tmp_path, "2020-01-01", numbers(), page=False)
    leave(tmp_path, "2020-02-01", numbers())
    links = [link["href"] for link in page(tmp_path).select("table a")]
    assert links == ["2020-02-01/index.html"]
    assert "1 January 2020" in words_of(page(tmp_path))


def test_an_error_is_counted_and_never_quoted(tmp_path: Path) -> None:
    leave(tmp_path, "2020-01-01", numbers())
    leave(tmp_path, "2020-02-01", [], outcome="failed", page=False, message="Anna-0007 has no amount")
    soup = page(tmp_path)
    assert "2 runs are known: 1 made a report, 1 failed." in words_of(soup)
    assert "Anna" not in str(soup)
    assert soup.find("script") is None
    assert "Corner <script>alert(1)</script> shop" in words_of(soup)


def test_a_dataset_without_measures_has_no_archive(tmp_path: Path) -> None:
    leave(tmp_path, "2020-01-01", [])
    assert archive.rebuild(tmp_path, "shop", DATASET) is None
    assert not (tmp_path / "reports" / "shop" / "archive.html").exists()


def test_an_archive_that_cannot_be_written_is_told_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path, "2020-01-01", numbers())
    before = page(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    leave(tmp_path, "2020-02-01", numbers())
    monkeypatch.setattr(archive.os, "replace", full)
    said: list[str] = []
    archive.refresh(tmp_path, "shop", DATASET, said.append)
    assert said == ["the archive could not be written: No space left on device"]
    reports = tmp_path / "reports" / "shop"
    assert BeautifulSoup((reports / "archive.html").read_text("utf-8"), "html.parser") == before
    assert {path.name for path in reports.iterdir()} == {"2020-01-01", "2020-02-01", "archive.html"}


def test_what_a_killed_run_left_of_an_archive_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".archive-0123").write_text("half", "utf-8")
    (tmp_path / ".keep").write_text("somebody's", "utf-8")
    place.clear(tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".keep"]


def test_a_long_history_stays_a_small_page(tmp_path: Path) -> None:
    for at in range(420):
        day = f"{2019 + at // 336}-{1 + at // 28 % 12:02d}-{1 + at % 28:02d}"
        leave(tmp_path, day, numbers(500 + at % 7), page=False)
    soup = page(tmp_path)
    assert "20 earlier reports are left out" in words_of(soup)
    assert len(soup.find_all("details")) == archive.MOST_COMPARED
    assert len(str(soup)) < 1_500_000
