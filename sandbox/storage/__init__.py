"""Azurite as the sandbox's Storage, and a proxy before it that can fail."""
