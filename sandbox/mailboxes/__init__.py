"""The mailboxes of the sandbox: folders, items, changes. Knows no protocol; `ews` and `graph` serve it."""
