"""Groups of mailboxes: each has scope settings of its own. docs/decisions/0020-groups.md."""
