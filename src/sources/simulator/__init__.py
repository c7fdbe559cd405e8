"""A synthetic retailer of whom the truth is known."""

from .settings import Simulation
from .write import simulate, simulate_frames

__all__ = ["Simulation", "simulate", "simulate_frames"]
