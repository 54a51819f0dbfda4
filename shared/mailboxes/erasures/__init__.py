"""The records of erasures."""
