"""Entra ID: the identity provider, its errors, id tokens, the app's credential."""
