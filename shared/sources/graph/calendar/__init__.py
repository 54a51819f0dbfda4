"""Events: requests, reading, and the typed events that files are made of."""
