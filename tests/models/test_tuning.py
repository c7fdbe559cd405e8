"""Settings found by a search that cannot see what it is judged on."""

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import EngineError, RefusedError, SettingsError
from loyalty.models import tuning
from loyalty.models.backtest import Origin
from loyalty.models.champion import Champion
from loyalty.models.trees import SETTINGS
from retailers import origin, retailer

NEEDS_OPTUNA = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="Optuna is not installed")
SPACE = {"min_child_weight": (1.0, 200.0), "eta": (0.01, 0.9)}


class Guess:
    """A model with a best setting, known in advance; it notes which dates it was shown."""

    seen: list[tuple[set[str], set[str]]] = []  # noqa: RUF012

    def __init__(self, *, min_child_weight: float = 50, eta: float = 0.02) -> None:
        self.distance = abs(np.log(min_child_weight / 50)) + abs(np.log(eta / 0.5))

    def fit(self, past: Sequence[Origin]) -> Self:
        self.learned = {str(each.features.index[0]) for each in past}
        return self

    def predict(self, at: Origin) -> pd.DataFrame:
        Guess.seen.append((self.learned, {str(at.features.index[0])}))
        return pd.DataFrame({"churn_probability": at.features["chance"] ** (1 + self.distance)})


def dates(count: int, size: int = 400) -> list[Origin]:
    random = np.random.default_rng(5)
    past = []
    for back in range(count):
        index = pd.Index([f"{back}-{number}" for number in range(size)], name="customer")
        features = pd.DataFrame({"chance": random.uniform(0.1, 0.9, size)}, index)
        churned = pd.Series(random.random(size) < features["chance"], index)
        past.append(Origin(features, pd.DataFrame(), churned))
    return past


@NEEDS_OPTUNA
def test_a_better_setting_is_found_and_used() -> None:
    found = tuning.tune(dates(5), Guess, bounds=SPACE, trials=25)
    assert found.better
    assert found.settings == found.best
    assert found.best["eta"] == pytest.approx(0.5, rel=0.6)
    assert found.low < found.gain < found.high
    assert len(found.trials) == 26
    assert found.trials["log_loss"].iloc[1:].min() < found.trials["log_loss"].iloc[0]


@NEEDS_OPTUNA
def test_the_same_seed_finds_the_same() -> None:
    one, two = (tuning.tune(dates(4), Guess, bounds=SPACE, trials=8, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.trials, two.trials)
    assert one[2:5] == two[2:5]


@NEEDS_OPTUNA
def test_the_latest_date_is_never_seen_and_nothing_learns_from_a_later_one() -> None:
    Guess.seen.clear()
    tuning.tune(dates(6), Guess, bounds=SPACE, trials=2)
    shown = {name for learned, tested in Guess.seen for name in learned | tested}
    assert "0-0" not in shown
    for learned, tested in Guess.seen:
        assert int(min(tested)[0]) < min(int(name[0]) for name in learned)
    confirmed = [learned for learned, tested in Guess.seen if tested == {"1-0"}]
    assert len(confirmed) == 2  # the defaults and the best, after the search
    assert Guess.seen[-2][1] == Guess.seen[-1][1] == {"1-0"}


@NEEDS_OPTUNA
def test_defaults_stay_where_nothing_is_clearly_better() -> None:
    space = {"eta": (0.0199, 0.0201)}
    found = tuning.tune(dates(4), Guess, bounds=space, trials=3)
    assert found.settings == {} or found.low > 0
    worse = tuning.tune(dates(4), lambda **settings: Guess(min_child_weight=50, eta=0.5 if not settings else 0.02),
                        bounds=space, trials=3)  # fmt: skip
    assert worse.settings == {}
    assert not worse.better
    assert worse.gain < 0


@NEEDS_OPTUNA
@pytest.mark.slow
def test_it_tunes_the_champion() -> None:
    shop = retailer(500, 480, seed=9)
    past = [origin(shop, day, last=480) for day in (420, 360, 300, 240)]
    told: list[tuple[int, int]] = []
    found = tuning.tune(
        past,
        lambda **settings: Champion(horizon_days=60, settings=settings),
        trials=2,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(1, 2), (2, 2)]
    assert set(found.best) == set(tuning.BOUNDS)
    losses = found.trials["log_loss"]
    assert losses.nunique() == 3  # settings reach the trees


def test_defaults_lie_within_the_bounds() -> None:
    assert all(low <= SETTINGS[name] <= high for name, (low, high) in tuning.BOUNDS.items())


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(EngineError, match=r"pip install 'loyalty\[tune\]'"):
        tuning.tune(dates(4), Guess)


@NEEDS_OPTUNA
def test_too_few_dates_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"on 3 past dates; expected at least 4; the defaults are used"):
        tuning.tune(dates(3), Guess)


def tuned(**changed: Any) -> tuning.Tuned:
    best = {"max_depth": 4, "eta": 0.05}
    found = tuning.Tuned(best, best, 0.01, 0.004, 0.02, pd.DataFrame({"log_loss": [0.3, 0.2]}), 7)
    return found._replace(**changed)


def test_settings_are_written_and_read_back(tmp_path: Path) -> None:
    place = tuning.write(tuned(), tmp_path / "shop")
    assert tuning.read(tmp_path / "shop") == {"max_depth": 4, "eta": 0.05}
    said = json.loads(place.read_text("utf-8"))
    assert (said["better"], said["trials"], said["seed"]) == (True, 1, 7)
    tuning.write(tuned(settings={}, low=-0.1), tmp_path / "shop")
    assert tuning.read(tmp_path / "shop") == {}
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["settings.json"]


def test_nothing_tuned_means_the_defaults(tmp_path: Path) -> None:
    assert tuning.read(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a file of settings"),
        ("[]", "not a file of settings"),
        ("{}", "not a file of settings"),
        ('{"settings": [1]}', "settings: expected a table, found list"),
        ('{"settings": {"depth": 3}}', "settings.depth: no such setting; expected one of eta"),
        ('{"settings": {"max_depth": 2.5}}', "settings.max_depth: expected a whole number from 2 to 6, found 2.5"),
        ('{"settings": {"max_depth": 90}}', "settings.max_depth: expected a whole number from 2 to 6, found 90"),
        ('{"settings": {"subsample": "all"}}', "settings.subsample: expected a number from 0.5 to 1, found 'all'"),
        ('{"settings": {"subsample": true}}', "settings.subsample: expected a number from 0.5 to 1, found True"),
    ],
)
def test_a_wrong_file_is_an_error_that_says_where(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "settings.json").write_text(content, "utf-8")
    with pytest.raises(SettingsError, match=message):
        tuning.read(tmp_path)
