"""Where mail comes from: the port, and a folder for each source that implements it."""
