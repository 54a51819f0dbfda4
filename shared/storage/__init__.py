"""Azure's clients, REST requests, error translation and row mapping. Knows no subject."""
