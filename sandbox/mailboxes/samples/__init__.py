"""The contents of the mailboxes: real mail, synthetic mail, and one item of every other kind."""
