"""Erasures of mailboxes and their records."""
