"""The directory: lists of mailboxes by address prefix, filters, and order, without reading the whole registry."""
