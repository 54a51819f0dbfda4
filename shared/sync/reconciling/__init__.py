"""Comparing the replica with the mailbox item by item, and what is derived from both."""
