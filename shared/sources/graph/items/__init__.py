"""Requests for items of every kind, and their attachments."""
