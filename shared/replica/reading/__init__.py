"""The read side of the replica, for programs: pages of items, ranges of contents, and numbered changes."""
