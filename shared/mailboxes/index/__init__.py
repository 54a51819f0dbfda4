"""The registry's index: mailboxes by address and by owner."""
