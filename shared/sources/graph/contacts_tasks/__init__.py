"""Contacts and tasks."""
