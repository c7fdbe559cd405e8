"""What `loyalty report` does: one report after another, each under its dataset's lock, each leaving a record."""

import json
import os
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BusyError, InputError, LoyaltyError, RefusedError, SettingsError

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..reporting.history import Run
    from ..reporting.progress import Reporter
    from ..study import Study

ALARM, INTERRUPTED = 5, 130
GRAVITY = (1, 2, 3, 4, ALARM, 0)
"""Exit codes, the worst first."""

EXIT_CODES = """\
Exit codes: 0 done, or nothing had changed; 1 failed; 2 wrong input; 3 refused: too little or too old data, data changed
meanwhile, or an answer is needed; 4 busy: another run is at work; 5 alarm, with --alarm; 130 Ctrl-C; 143 SIGTERM.
Of several reports the worst: 1, then 2, 3, 4, 5. In every case but 0 and 5 what was published before stays."""

Opener = Callable[[str, str | None], "Study | Experiment"]
"""Opens a dataset at a date."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `loyalty report` is asked for, by option."""

    as_of: str | None = None
    since: str | None = None
    every: int | None = None
    notebooks: tuple[str, ...] | None = None
    param: tuple[str, ...] = ()
    force: bool = False
    alarm: bool = False
    jobs: int = 2
    keep: int | None = None
    minutes: float = 720.0
    notebook_minutes: float = 30.0
    wait: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of one report.

    Attributes
    ----------
    code : exit code.
    outcome : see `history.Run`.
    index : the page to open; None where none was made.
    error : why not.
    """

    dataset: str
    as_of: str | None
    code: int
    outcome: str
    index: Path | None = None
    error: BaseException | None = None

    def message(self) -> str:
        """Why none was made, on one line."""
        if self.outcome == "stopped":
            return "stopped by a signal"
        kind = f"{type(self.error).__name__}: " if self.outcome == "bug" else ""
        return " ".join(f"{kind}{self.error}".split())

    def manifest(self) -> dict[str, Any]:
        """What the report says about itself; where there is none, what became of it."""
        if self.index is None:
            said = {"dataset": self.dataset, "as_of": self.as_of, "outcome": self.outcome, "message": self.message()}
            return said | {"exit_code": self.code}
        return {"index": str(self.index), **json.loads((self.index.parent / "manifest.json").read_text("utf-8"))}


def make(
    datasets: Sequence[str], request: Request, opener: Opener, tell: "Reporter", complain: Callable[[str], None]
) -> list[Told]:
    """Make the reports of some datasets, each at one date or at several; one that fails does not stop the others.

    Parameters
    ----------
    datasets : names.
    request : what is asked.
    opener : opens a dataset at a date.
    tell : told how far the work is.
    complain : told what went wrong.

    Raises
    ------
    SettingsError
        If the call itself is wrong; then nothing was begun.
    """
    from ..reporting import limits
    from ..reporting.publish import notebook_paths, select
    from ..settings import project_root

    root = project_root()
    if request.every is not None and request.since is None:
        raise SettingsError("--every: expected --since DATE beside it, the first date to look back from")
    names = list(dict.fromkeys(name.replace("_", "-") for name in datasets))
    if request.notebooks is not None:
        select(request.notebooks, notebook_paths(root))  # before the data is read, which takes longer
    with limits.ending():
        told = [one for name in names for one in _dataset(root, name, request, opener, tell, len(names) == 1)]
    for one in told:
        if one.error is not None:
            place = f"{one.dataset}{f' {one.as_of}' if one.as_of else ''}: " if len(told) > 1 else ""
            complain(f"{place}{one.message()}")
    return told


def _dataset(root: Path, name: str, request: Request, opener: Opener, tell: "Reporter", alone: bool) -> list[Told]:
    """Make the reports of one dataset, and delete those that are too old to be kept."""
    from ..settings import dataset_path

    try:
        dataset_path(name, root)
        days = _days(name, request, opener)
    except LoyaltyError as error:
        outcome = _outcome(error)
        return [Told(dataset=name, as_of=request.as_of, code=error.exit_code, outcome=outcome, error=error)]
    told = [_one(root, name, day, request, opener, tell, alone and not request.since) for day in days]
    _retire(root, name, request, told, tell)
    return told


def worst(told: Sequence[Told]) -> int:
    """The exit code of all of them."""
    return next(code for code in GRAVITY if code in {one.code for one in told})


def show(told: Sequence[Told], request: Request) -> str:
    """What was made, for a person."""
    lines = []
    for one in told:
        if one.index is not None:
            lines.append(f"Report: {_relative(one.index)}")
            lines += [f"Alarm:  {text}" for text in one.manifest().get("alarms", [])] if request.alarm else []
            if len(told) == 1:
                lines.append(f"Open:   {one.index.resolve().as_uri()}")
    return "\n".join(lines)


def to_json(told: Sequence[Told]) -> str:
    """The same for a program: the manifest, or a list of them where there are several."""
    said = [one.manifest() for one in told]
    return json.dumps(said[0] if len(said) == 1 else said, indent=2, ensure_ascii=False)


def _days(name: str, request: Request, opener: Opener) -> list[str | None]:
    """The dates to report at, the oldest first; None for the one that the data gives."""
    from ..reporting.place import dates
    from ..settings import parse_date, whole_days

    if request.since is None:
        return [request.as_of]
    last = opener(name, request.as_of)
    if last.horizon_days is None:
        raise SettingsError(f"--since: {name} has no purchase log, and an experiment has no past dates")
    first = parse_date(request.since, last.dataset.timezone)
    every = whole_days("--every", request.every, last.horizon_days)
    if first is None or first > last.as_of:
        raise SettingsError(f"--since: expected a date up to {last.as_of}, found {request.since}")
    return [day.isoformat() for day in dates(first, last.as_of, every)]


def _one(
    root: Path, name: str, day: str | None, request: Request, opener: Opener, tell: "Reporter", alone: bool
) -> Told:
    """Make one report; what goes wrong is told, not raised, unless it is a signal, or a bug and the only report."""
    from ..reporting.history import OF_REPORT, Run

    run = Run(root, name, asked=asdict(request) | {"as_of": day})
    try:
        run.write(as_of=day)
        index = _under_lock(root, run, day, request, opener, tell)
    except BaseException as error:
        told = _not_made(name, day, error)
        run.outcome = told.outcome
        _record(run, as_of=day, exit_code=told.code, message=told.message())
        if told.outcome == "stopped" or (alone and told.outcome == "bug"):
            raise
        if told.outcome == "bug":
            traceback.print_exc()
        return told
    said = json.loads((index.parent / "manifest.json").read_text("utf-8"))
    kept = {key: said.get(key) for key in OF_REPORT}
    code = ALARM if request.alarm and kept["alarms"] else 0
    _record(run, **kept, place=index.parent.name, exit_code=code)
    return Told(dataset=name, as_of=kept["as_of"], code=code, outcome=run.outcome, index=index)


def _not_made(name: str, day: str | None, error: BaseException) -> Told:
    """What became of a report that was not made."""
    if isinstance(error, LoyaltyError):
        return Told(dataset=name, as_of=day, code=error.exit_code, outcome=_outcome(error), error=error)
    if isinstance(error, OSError | MemoryError):
        reason = LoyaltyError(f"{_system(error)}; nothing was published")
        return Told(dataset=name, as_of=day, code=1, outcome="failed", error=reason)
    if isinstance(error, Exception):
        return Told(dataset=name, as_of=day, code=1, outcome="bug", error=error)
    code = error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else INTERRUPTED
    return Told(dataset=name, as_of=day, code=code, outcome="stopped", error=error)


def _under_lock(root: Path, run: "Run", day: str | None, request: Request, opener: Opener, tell: "Reporter") -> Path:
    """Open a dataset and publish its report, while nobody else does."""
    from ..reporting import limits, locks, publish

    lock = root / "data" / "interim" / run.dataset / "report.lock"
    limit = limits.clock(60 * request.minutes or None)
    with locks.held(lock, run.dataset, wait=request.wait, tell=tell), limit, limits.undisguised():
        with run.phase("reading"):
            study = opener(run.dataset, day)
        return publish.publish(
            study,
            notebooks=None if request.notebooks is None else list(request.notebooks),
            options=request.param,
            force=request.force,
            progress=tell,
            jobs=request.jobs,
            notebook_seconds=60 * request.notebook_minutes or None,
            run=run,
        )


def _system(error: OSError | MemoryError) -> str:
    """What the system says that is wrong, in words."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    return f"{error.filename or 'the system'}: {error.strerror or error}"


def _outcome(error: LoyaltyError) -> str:
    kinds = ((BusyError, "busy"), (RefusedError, "refused"), (InputError, "wrong"))
    return next((outcome for kind, outcome in kinds if isinstance(error, kind)), "failed")


def _record(run: "Run", **said: Any) -> None:
    """Write down what became of a run; where that cannot be, the run is not worse for it."""
    try:
        run.write(**said)
        run.forget_old()
    except OSError:
        return


def _retire(root: Path, name: str, request: Request, told: Sequence[Told], tell: "Reporter") -> None:
    """Delete reports that are older than what is to be kept, if one was made now."""
    from ..reporting import archive, place
    from ..settings import load_dataset

    made = {one.index.parent.name for one in told if one.index is not None}
    if request.keep is not None and made:
        for gone in (retired := place.keep_newest(root / "reports" / name, request.keep, made)):
            tell(f"deleted the report of {gone}")
        if retired:
            with suppress(LoyaltyError):  # the file is wrong by now: the archive stays as it is
                archive.refresh(root, name, load_dataset(name, root), tell)


def _relative(path: Path) -> str:
    """Return the path as seen from here, or in full where that would climb."""
    shown = os.path.relpath(path)
    return str(path) if shown.startswith("..") else shown
