"""The mailboxes of the sandbox: folders, items, changes. Independent of protocols; `ews` and `graph` serve them."""
