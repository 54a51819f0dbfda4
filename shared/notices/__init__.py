"""Mail when a mailbox stops or recovers, to its person and to the operators, and the operators' daily digest."""
