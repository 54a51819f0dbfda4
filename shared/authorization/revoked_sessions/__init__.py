"""Sessions that were ended before their time."""
