"""Mailboxes over Microsoft Graph: plain HTTPS and JSON that msgspec reads.

What Graph answers and who acts next is in errors.py; links from its answers never leave our own host (client.py).
"""
