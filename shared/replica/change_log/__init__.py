"""The change log: which mailboxes have new feed pages, in the order of time (docs/decisions/0015-change-log.md)."""
