"""Events of mailboxes, and the outbox in a mailbox's row that keeps them until they are published."""
