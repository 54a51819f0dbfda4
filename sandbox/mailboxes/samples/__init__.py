"""What mailboxes are filled with: real mail, synthetic mail, and one of every other kind of item."""
