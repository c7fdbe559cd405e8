"""A reading while the campaign still runs, that may be repeated every day.

An interval of 90 % that is looked at every day leaves out the truth on some day far more often than once in ten: who
waits long enough sees an effect where there is none. A confidence sequence holds on all days at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import lambertw

from ..errors import DataError
from .effect import LEVEL, QUANTILE, Effect, Interval


def factor(share: float, level: float = LEVEL) -> float:
    r"""Half the width of an asymptotic confidence sequence, in standard errors of the day.

    .. math:: \sqrt{(1 + 1 / ur) \, (\log(1 + ur) - 2 \log\alpha)}, \quad u = -W_{-1}(-\alpha^2 / e) - 1,

    with r the share that is reached: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), "Time-uniform central limit
    theory and asymptotic confidence sequences", Annals of Statistics 52, 2613-2640, theorem 2.2, whose
    :math:`t\rho^2` is ur here. This u makes it the narrowest at r = 1 (Howard et al. 2021, Annals of Statistics 49,
    1055-1080, section 3.5); it holds at every other r too.

    Parameters
    ----------
    share : of what is planned that is reached, above 0; may pass 1.
    level : share of campaigns in which the truth is to lie inside on all days.

    Examples
    --------
    >>> round(factor(1.0), 2), round(factor(0.25), 2)
    (2.76, 2.99)
    """
    if not share > 0:
        raise DataError(f"share of the campaign that is reached: expected a number above 0, found {share}")
    alpha = 1 - level
    reached = share * (-lambertw(-(alpha**2) / np.e, k=-1).real - 1)
    return float(np.sqrt((1 + 1 / reached) * (np.log1p(reached) - 2 * np.log(alpha))))


def still_running(effect: Effect, *, reached: float, planned: float, level: float = LEVEL) -> Effect:
    """The effect so far, with an interval that holds however often and whenever one looks.

    Where customers come in one by one, each with a whole outcome, what is reached are customers. Where all were
    contacted at once and their spend adds up, it is days, and the estimand is the effect up to the day: a customer who
    spent much is likely to spend much again, which makes days more alike than the theorem supposes, and a process more
    alike leaves a band less often (Slepian's inequality).

    Parameters
    ----------
    effect : with the interval and standard error of today.
    reached, planned : customers, or days; what was planned is fixed beforehand, see `registry`.
    level : see `factor`.
    """
    if not planned > 0:
        raise DataError(f"what the campaign is planned to reach: expected a number above 0, found {planned}")
    if not effect.identified:
        return effect
    wide = factor(reached / planned, level)
    half = wide * effect.standard_error
    found = Interval(effect.found.estimate, effect.found.estimate - half, effect.found.estimate + half)
    note = (
        f"The campaign still runs: {100 * reached / planned:.0f} % of what was planned is reached. The interval is "
        f"{wide / QUANTILE:.2g} times as wide as that of a single reading, so that it holds however often one looks."
    )
    return replace(effect, found=found, notes=(*effect.notes, note))
