r"""The MBG/NBD model of Batislam, Denizel & Filiztekin (2007).

As BG/NBD, but a customer may leave after the first purchase, too, so that a one-time buyer's P(alive) is below 1.
It was found independently as CBG/NBD: D. Hoppe & U. Wagner (2007), Customer Base Analysis: The Case for a Central
Variant of the Betageometric/NBD Model, Marketing - Journal of Research and Management 3 (2), 75-90.
"""

from __future__ import annotations

from typing import Any

from .bgnbd import BetaGeometricModel
from .lifetimes_calls import hand_over


class MBGNBD(BetaGeometricModel):
    """Purchase rate and dropout of customers who leave, unseen, right after any purchase, the first included.

    Parameters
    ----------
    time_unit : {"days", "weeks"}, default "days"
        Unit in which times enter the likelihood; frames and horizons are in days always.

    Attributes
    ----------
    params_ : Series
        ``r``, ``alpha`` (gamma shape and scale of the rates, the scale in ``time_unit``), ``a``, ``b`` (beta
        of the dropout probabilities). All others as in `loyalty.models.likelihood.LikelihoodModel`.

    Examples
    --------
    >>> from loyalty.models.beta_geometric import simulate_histories
    >>> customers = simulate_histories(.8, 60, 1, 3, [300.0] * 4000, seed=1, first=1)
    >>> model = MBGNBD().fit(customers)
    >>> bool((model.probability_alive(customers) < 1).all())
    True
    """

    _first = 1

    def to_lifetimes(self) -> Any:
        """Hand the fit to the package ``lifetimes``.

        Returns
        -------
        lifetimes.ModifiedBetaGeoFitter
            Holding these parameters and their errors, so that predictions and ``summary`` work; its times are
            in ``time_unit``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        self._vector()
        from lifetimes import ModifiedBetaGeoFitter  # heavy, and warns on import

        return hand_over(self, ModifiedBetaGeoFitter())
