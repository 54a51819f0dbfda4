"""What Exchange's errors mean: response codes, HTTP statuses, and the reasons of a 403."""
