"""Azurite as the sandbox's Storage, and a proxy in front of it that can fail."""
