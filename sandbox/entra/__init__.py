"""The sandbox's Entra ID: signs people in, asks for consent, issues tokens, and fails with Entra's errors."""
