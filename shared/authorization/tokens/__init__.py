"""Access tokens in memory, refresh tokens in Key Vault."""
