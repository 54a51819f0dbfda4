"""Deletes rows whose time is over, by partition and within a time limit."""
