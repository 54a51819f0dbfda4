"""Moves a mailbox from one source to the other: survey, decision, switch in one commit, restate."""
