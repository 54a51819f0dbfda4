"""Azure's clients, REST requests, error translation, and row mapping. Independent of what is stored."""
