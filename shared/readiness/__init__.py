"""Readiness: whether each service that the program depends on answers, how fast, and how old the queue is."""
