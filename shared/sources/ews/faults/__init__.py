"""What Exchange's errors mean: response codes, statuses, 403, faults of single items."""
