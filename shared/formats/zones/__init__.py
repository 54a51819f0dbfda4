"""Resolves time zones and writes their VTIMEZONE components."""
