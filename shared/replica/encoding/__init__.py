"""Stored formats of the replica: packs, feed pages, cursors, and item rows."""
