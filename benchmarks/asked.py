"""What all benchmarks ask on the command line, and how they tell what they found."""

import argparse
import sys
from collections.abc import Callable, Collection
from pathlib import Path

SCRATCH = Path(__file__).parents[1] / "build" / "bench"


def number_of(size: str) -> int:
    """The number that a size stands for.

    Examples
    --------
    >>> number_of("10M"), number_of("50k"), number_of("700")
    (10000000, 50000, 700)
    """
    return int(size.rstrip("kM")) * {"k": 1_000, "M": 1_000_000}.get(size[-1], 1)


def size(text: str) -> str:
    """A size as given, if it is one; else argparse complains."""
    number_of(text)
    return text


def names(known: Collection[str]) -> Callable[[str], list[str]]:
    """What reads a list of known names separated by commas."""

    def read(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: expected some of {', '.join(known)}")
        return text.split(",")

    return read


def parser_of(about: str | None, scratch: str) -> argparse.ArgumentParser:
    """A parser of the arguments that all have; `scratch` says what their folder is for."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=SCRATCH, help=scratch)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put what is found into this Markdown file too")
    return parser


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{text}\n")


def tell(text: str, name: str, file: Path | None) -> None:
    """Write a text to standard output, and between its marks into a Markdown file if one is given."""
    sys.stdout.write(f"{text}\n\n")
    if file is not None:
        put(file, name, text)


def put(file: Path, name: str, text: str) -> None:
    """Write a text between its marks in a Markdown file, in place of what was there, or at the end."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    block = f"{begin}\n\n{text}\n\n{end}"
    page = file.read_text("utf-8") if file.exists() else ""
    before, found, rest = page.partition(begin)
    page = before + block + rest.partition(end)[2] if found else f"{page.rstrip()}\n\n{block}\n"
    file.write_text(page.lstrip(), "utf-8")
