"""Where mail goes: packs of contents, the change feed, the item table, the cursor."""
