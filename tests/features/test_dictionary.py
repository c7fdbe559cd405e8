"""The data dictionary in `data/README.md` is the one that the code gives."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from loyalty.features import build, dictionary

FILE = Path(__file__).parents[2] / "data" / "README.md"


def test_the_file_is_what_the_code_says() -> None:
    assert FILE.read_text("utf-8") == dictionary.text(), "run: python -m loyalty.features.dictionary > data/README.md"


def test_every_column_has_a_row_and_every_row_is_whole() -> None:
    rows = [line for line in dictionary.text().splitlines() if re.match(r"\| `\w+(<attribute>)?` ", line)]
    assert [row.split("`")[1] for row in rows] == [*build.dictionary(), "profile_<attribute>"]
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == len(dictionary.HEADINGS)
        assert all(cells)


@pytest.mark.slow
def test_the_command_writes_the_file() -> None:
    command = [sys.executable, "-m", "loyalty.features.dictionary"]
    written = subprocess.run(command, capture_output=True, check=True, cwd=FILE.parents[1])
    assert written.stdout.decode("utf-8") == dictionary.text()
