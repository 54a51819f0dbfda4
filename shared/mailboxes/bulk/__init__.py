"""Bulk jobs: one command on many mailboxes, run in slices through a queue, with progress and a way to cancel."""
