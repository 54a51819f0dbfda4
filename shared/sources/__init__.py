"""The mail sources: the port, and one package for each source that implements it."""
