"""How the outside world enters: a file per door; each decodes, makes one call, encodes."""
