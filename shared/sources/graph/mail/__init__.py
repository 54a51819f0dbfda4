"""Messages: metadata, MIME, and what replaces it where the service has none."""
