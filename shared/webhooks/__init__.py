"""Webhooks: endpoints of other programs, and the events of mailboxes that are delivered to them."""
