"""Behaviour of customers as Ibis expressions: the same on every engine."""
