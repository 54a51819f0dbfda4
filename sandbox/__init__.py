"""Microsoft 365 on one machine: HTTPS servers that stand in for Entra ID, Exchange, Key Vault, managed identity."""
