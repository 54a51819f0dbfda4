"""Reading a mailbox: which folders there are, which changed, what changed in them."""
