"""The version of this program. Everything that shows it (pages, API, command line, releases) reads it here."""

VERSION = "0.1.0"
