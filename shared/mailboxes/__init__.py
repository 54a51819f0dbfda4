"""The registry: a mailbox, its status, and what moves it from one to the next."""
