"""The folders of a mailbox, their states, and what changed in them."""
