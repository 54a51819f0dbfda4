"""The store for copies of mailboxes: packs of contents, the change feed, the item table, and the cursor."""
