"""How a mailbox gets connected: sign-in, invitation, approval, activation."""
