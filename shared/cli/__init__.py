"""The command line: python -m shared.cli COMMAND --help

It needs the app's settings in its environment, and an identity that may read the app's storage.
"""
