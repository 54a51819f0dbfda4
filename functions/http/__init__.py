"""The HTTP layer: request checks, error mapping, and responses that all routes share."""
