"""What `loyalty backtest --tune` does: search settings of the trees, and keep what is clearly better."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import origins
from ..models import tuning
from ..models.champion import Champion
from ..models.tuning import Tuned
from ..reporting import words

if TYPE_CHECKING:
    from ..study import Study


def search(study: "Study", trials: int, progress: Callable[[int, int], None]) -> Tuned:
    """Search, and write what was found to `data/processed/<dataset>/settings.json`.

    Raises
    ------
    EngineError
        If Optuna is not installed.
    RefusedError
        If the log has too few past dates.
    """
    past = [origins.seen(study, day) for day in study.origins()]

    def make(**settings: Any) -> Champion:
        device = study.dataset.engine_settings.device
        return Champion(horizon_days=study.horizon_days, device=device, settings=settings, by_silence=study.by_silence)

    found = tuning.tune(past, make, trials=trials, progress=progress)
    tuning.write(found, study.root / "data" / "processed" / study.name)
    return found


def show(found: Tuned) -> str:
    """What was found, in a sentence."""
    gain = words.between(found.low, found.high, words.number)
    verdict = "are used from now on" if found.better else "are not clearly better, and the defaults stay"
    best = ", ".join(f"{name} {value:.3g}" for name, value in found.best.items())
    return (
        f"The best of {len(found.trials) - 1} settings ({best}) {verdict}: on a date that the search did not see their "
        f"log-loss is smaller by {words.number(found.gain)} (90 % interval {gain})."
    )
