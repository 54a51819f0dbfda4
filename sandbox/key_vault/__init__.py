"""The sandbox's Key Vault: its store, and the REST API over it."""
