"""The mail source for Exchange Web Services: exchangelib's sessions with our own short requests and fast parsing.

sources.py opens mailboxes, and mailbox.py is one of them. transport/ sends requests and parses SOAP, fetching/ gets
items in batches, and reading/ turns XML elements into the port's types, with one file for each kind. faults/rules.py
holds the one table of everything that can go wrong.
"""
