"""What items are made of: their MIME and vCard, attachments, sizes, derived and MAPI properties."""
