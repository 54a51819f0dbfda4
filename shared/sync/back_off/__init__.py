"""How long a mailbox, or all mailboxes of a tenant, wait after a failure that needs nobody to act."""
