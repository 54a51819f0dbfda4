"""Faults on request: the plan, and what each fault does to a request."""
