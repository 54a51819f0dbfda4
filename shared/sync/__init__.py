"""The algorithm: who is due, one pass over one mailbox, what failed and why. Knows other subjects by their ports."""
