"""The dispatch, the daily work, and the poison queue."""
