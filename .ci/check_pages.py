"""Check that every promised page of a report is there, holds a figure and a number, and is no larger than it may be.

Usage: check_pages.py REPORTS/DATASET [REPORTS/DATASET ...]
"""

import base64
import html.parser
import re
import sys
from pathlib import Path

PAGES = [
    "index", "01_data_health", "02_customer_base", "03_lifetime_value", "04_churn", "05_campaigns", "06_programme",
    "07_actions", "08_backtest", "09_summary",
]  # fmt: skip
MEGABYTES = {"index": 1.5}
"""Largest that a page may be; `OTHERS` where it is not named."""

OTHERS = 2.0
SIMULATED = {("cdnow", "06_programme"): "(simulated programme)"}
"""What every figure of a page is to say of itself, since the dataset has no programme."""

POLICY = "default-src 'none'; img-src data:; style-src 'sha256-"
PNG = b"\x89PNG\r\n\x1a\n"


class Page(html.parser.HTMLParser):
    """What a reader gets from a page: its text, pictures and the addresses it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.policy = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note pictures and addresses."""
        values = {name: value or "" for name, value in attrs}
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "img":
            self.pictures.append(values)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values.get("content", "")
        for name in ("src", "href"):
            if re.match(r"(https?:)?//", values.get(name, "")) and tag != "a":
                self.asked.append(values[name])

    def handle_endtag(self, tag: str) -> None:
        """Leave scripts and styles."""
        if tag in ("script", "style"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        """Note what can be read."""
        if not self._silent:
            self.words.append(data)


def faults(file: Path, dataset: str = "") -> list[str]:
    """What is wrong with one page of a dataset."""
    if not file.is_file():
        return [f"{file}: is missing"]
    page = Page()
    page.feed(file.read_text("utf-8"))
    text = " ".join(page.words)
    pictures = [picture for picture in page.pictures if picture.get("src", "").startswith("data:image/png;base64,")]
    whole = [base64.b64decode(picture["src"].partition(",")[2]).startswith(PNG) for picture in pictures]
    said = SIMULATED.get((dataset, file.stem), "")
    size, most = file.stat().st_size / 1e6, MEGABYTES.get(file.stem, OTHERS)
    checks = {
        f"has {size:.2f} MB, and may have {most:g}": size < most,
        "does not forbid to ask other hosts": page.policy.startswith(POLICY),
        "holds no figure": bool(whole) and all(whole),
        "has a figure whose description names no number": all(
            re.search(r"\d", picture.get("alt", "")) for picture in page.pictures
        ),
        f"has a figure that does not say {said}": all(said in picture.get("alt", "") for picture in pictures),
        "holds hardly a number": len(re.findall(r"\d+(?:[.,]\d+)*", text)) >= 10,
        "asks another host": not page.asked,
        "shows an error": "Traceback" not in text and not re.search(r"\bnan\b", text),
    }
    return [f"{file}: {fault}" for fault, fine in checks.items() if not fine]


def main(folders: list[str]) -> int:
    """Check the newest report of each dataset."""
    found = [
        fault
        for folder in folders
        for page in PAGES
        for fault in faults(Path(folder) / "latest" / f"{page}.html", Path(folder).name)
    ]
    sys.stdout.write(
        "".join(f"{fault}\n" for fault in found) or f"{len(PAGES)} pages of {len(folders)} reports are whole.\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
