"""`loyalty init`: from a log or an experiment to a dataset file. Heavy modules are imported where they are used."""

import os
import re
import shlex
import sys
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ..errors import InputError, RefusedError, SettingsError

if TYPE_CHECKING:
    from ..sources.guessing.guesses import Candidate, Guess, Guesses
    from ..sources.guessing.inspection import Seen

T = TypeVar("T")
FALLBACK_NAME = "shop"
"""Of a dataset whose file has no Latin letter in its name."""


def init(
    path: Annotated[
        str, typer.Argument(help="A purchase log, or an experiment: a file, a folder, a glob in quotes, or a database.")
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the dataset; else the file's own name.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write anew; the old file is kept beside it.")] = False,
    table: Annotated[
        str | None, typer.Option(metavar="TABLE", help="The table or view to read, in a database.")
    ] = None,
) -> None:
    """Guess what the columns of a purchase log or an experiment are, and write a dataset file that can be corrected."""
    from ..settings import project_root
    from ..sources.guessing import experiment, experiment_draft
    from ..sources.guessing.draft import ORDER, too_few, written
    from ..sources.guessing.inspection import SeenExperiment, describe, describe_experiment, look, source_of

    root = project_root()
    source = source_of(path, root)
    slug = _slug(name, source)
    target = _target(slug, root, force)
    shown = f"data/{target.name}"
    where = f"{shown}: transactions"
    try:
        table = _table(source, table, path, root, where)
        folder = root / "data" / "interim" / slug / "landed"
        seen = look(source, root, folder, where, table)
    except InputError as error:  # which names a file that is not written yet
        told = str(error).replace(f"{where}.source", path).replace(f"{where}.table", "--table")
        raise type(error)(told.replace(where, path)) from None
    title = name or _stem(source)
    if isinstance(seen, SeenExperiment):
        trial = describe_experiment(seen, title, path, root, folder, where)
        _save(target, experiment_draft.written(trial))
        _show(path, trial.guesses, experiment.ROLES)
        _close(slug, shown, [f"experiment.{key}" for key in trial.undecided])
        return
    draft = describe(_asked(seen) if _is_terminal() else seen, title, path, date.today())
    _save(target, written(draft))
    _show(path, draft.guesses, ORDER)
    _close(slug, shown, [f"transactions.{key}" for key in draft.undecided], too_few(draft.measured))


def _close(slug: str, shown: str, undecided: Sequence[str], note: str = "") -> None:
    """Say what was written, and what to do next."""
    typer.echo(f"\nWrote: {shown}")
    if undecided:
        raise RefusedError(
            f"{shown}: decide {' and '.join(undecided)}: the candidates stand there as comments with the evidence; "
            f"take away one `# ` each, then run `loyalty check {slug}`"
        )
    if note:
        typer.echo(f"Note:  {note}")
    typer.echo(f"Next:  loyalty check {slug}")


# The file


def _slug(name: str | None, source: str) -> str:
    """The dataset's name.

    Examples
    --------
    >>> _slug(None, "data/raw/Ventas Año.csv.gz"), _slug(None, "订单.csv"), _slug(None, "tills/2024-*.csv")
    ('ventas-ano', 'shop', 'tills')
    """
    if name is not None:
        if not re.fullmatch(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", name):
            raise SettingsError(f"--name: expected letters, digits and hyphens, such as my-shop, found {name!r}")
        return name.lower().replace("_", "-")
    plain = unicodedata.normalize("NFKD", _stem(source)).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain)[:40].strip("-") or FALLBACK_NAME


def _stem(source: str) -> str:
    """The name of a file without what says its format; of a glob, the folder's; of a server, the database's.

    Examples
    --------
    >>> _stem("sqlite:data/raw/till.db"), _stem("postgres://me@host:5432/shop?sslmode=require"), _stem("till/*.csv")
    ('till', 'shop', 'till')
    """
    address = source.partition("?")[0] if "://" in source else source
    whole = Path(re.sub("^(sqlite|duckdb):", "", address))
    return whole.parent.name if re.search(r"[*?\[]", whole.name) else whole.name.partition(".")[0]


def _target(slug: str, root: Path, force: bool) -> Path:
    """The file to write."""
    from ..settings import dataset_names, dataset_path

    if slug not in dataset_names(root):
        return root / "data" / f"{slug.replace('-', '_')}.toml"
    there = dataset_path(slug, root)
    if not force:
        raise SettingsError(
            f"data/{there.name} is there already: choose another name with --name, or --force to write it anew (the "
            "old one is kept beside it)"
        )
    return there


def _save(target: Path, text: str) -> None:
    """Write a file whole or not at all; one that is there is kept under another name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        scratch.write_text(text, "utf-8", newline="\n")
        if target.exists():
            target.rename(_free(target.with_name(f"{target.name}.bak")))
        scratch.rename(target)
    finally:
        scratch.unlink(missing_ok=True)


def _free(path: Path) -> Path:
    """The path, with a number behind it if it is taken."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


# Questions


def _table(source: str, asked: str | None, path: str, root: Path, where: str) -> str | None:
    """The table of a database to read: the one that was asked for, else the one that is clear."""
    from ..sources.databases import is_database
    from ..sources.guessing.choosing import likely_tables
    from ..sources.guessing.draft import plain

    if not is_database(source):
        if asked is not None:
            raise SettingsError(f"--table: expected a database such as sqlite:{path}, found a file")
        return None
    if asked is not None:
        return asked
    found = likely_tables(source, root, where)
    told = [f"{plain(table.name)} ({', '.join(map(plain, table.columns))})" for table in found]
    if len(found) == 1:
        return found[0].name
    kind = found[0].kind
    chosen = _choice(f"Which table is the {kind}?", found, told, later="stop") if _is_terminal() else None
    if chosen is None:
        raise RefusedError(
            f"{path}: each of these tables may be the {kind}: {'; '.join(told)}; name one, such as "
            f"`loyalty init {shlex.quote(path)} --table {shlex.quote(found[0].name)}`"
        )
    return chosen.name


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _asked(seen: "Seen") -> "Seen":
    """What a person says where the guess is undecided; what is not answered stays so."""
    from ..sources.guessing.evidence import REQUIRED

    roles = dict(seen.guesses.roles)
    for role in REQUIRED:
        if roles[role].undecided:
            roles[role] = _asked_column(roles[role], seen)
    formats = seen.time_formats
    if len(formats) > 1:
        examples = ", ".join(seen.guesses.profiles[str(seen.guesses.column("time"))].examples())
        answer = _choice(f"Is the day or the month first, in {examples}?", formats, formats)
        formats = formats if answer is None else (answer,)
    from dataclasses import replace

    return seen._replace(guesses=replace(seen.guesses, roles=roles), time_formats=formats)


def _asked_column(guess: "Guess", seen: "Seen") -> "Guess":
    from ..sources.guessing.draft import plain, shown_examples

    def line(candidate: "Candidate") -> str:
        examples = ", ".join(shown_examples(guess.role, seen.guesses.profiles[candidate.column]))
        doubt = f"; but {candidate.doubt}" if candidate.doubt else ""
        return f"{plain(candidate.column)}  ({'; '.join(candidate.evidence)}{doubt}; such as {examples})"

    question = f"Which column is the {guess.role}?"
    chosen = _choice(question, guess.candidates, [line(candidate) for candidate in guess.candidates])
    return guess if chosen is None else guess.take(chosen.column)


def _choice(
    question: str, values: Sequence[T], lines: Sequence[str], later: str = "decide later in the file"
) -> T | None:
    """One of some values by its number; None where the answer is 0, to do what `later` says."""
    typer.echo(question)
    for number, line in enumerate(lines, start=1):
        typer.echo(f"  {number}  {line}")
    while True:
        answer: int = typer.prompt(f"1 to {len(values)}, or 0 to {later}", type=int)
        if 0 <= answer <= len(values):
            return values[answer - 1] if answer else None


# The table of guesses


def _show(path: str, guesses: "Guesses", order: Sequence[str]) -> None:
    """Show the guess with its evidence, role by role."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..sources.guessing.draft import plain, shown_examples

    table = Table(title=Text(f"What the columns of {path} seem to be"), title_justify="left")
    for heading in ("Role", "Column", "Sure?", "Why", "Examples"):
        table.add_column(heading, overflow="fold")
    roles = guesses.roles
    for guess in (roles[role] for role in order if role in roles):
        for candidate in guess.candidates:
            if guess.chosen and candidate.column not in guess.chosen:
                continue
            told = f"{candidate.confidence}{'' if guess.chosen else ', undecided'}"
            why = "; ".join((*candidate.evidence, *filter(None, [candidate.doubt])))
            examples = ", ".join(shown_examples(guess.role, guesses.profiles[candidate.column]))
            table.add_row(*map(Text, (guess.role, plain(candidate.column), told, why, examples)))
    Console().print(table)
