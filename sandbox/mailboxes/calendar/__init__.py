"""Events: their time zones, their recurrence, their occurrences, and their iCalendar."""
