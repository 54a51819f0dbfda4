"""The typed values of events, contacts, distribution lists, and tasks, and what they share."""
