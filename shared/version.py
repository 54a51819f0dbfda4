"""The version of this program. Everything else that says it (pages, API, command line, releases) reads it here."""

VERSION = "0.1.0"
