"""What time zones mean, and their VTIMEZONE components."""
