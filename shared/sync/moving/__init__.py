"""Moving a mailbox from one source to the other: surveyed, decided, switched in one commit, restated."""
