"""Unit tests of notices."""
