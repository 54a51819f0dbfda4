"""Counts of all mailboxes, kept as each shard's summary, which the dispatch writes as it reads the shard."""
