"""The registry: mailboxes, their statuses, and the transitions between them."""
