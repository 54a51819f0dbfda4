"""How we may read a mailbox: the sign-in flow, consent, tokens."""
