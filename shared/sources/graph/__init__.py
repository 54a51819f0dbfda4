"""Mailboxes over Microsoft Graph: plain HTTPS and JSON that msgspec reads.

faults/errors.py says who acts next on each error. Links in responses are followed on the configured host only.
"""
