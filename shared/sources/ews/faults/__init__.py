"""The meaning of Exchange's errors: response codes, HTTP statuses, and the reasons for a 403."""
