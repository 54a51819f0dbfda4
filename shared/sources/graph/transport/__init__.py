"""HTTP with Graph: requests, batches, answers, throttling."""
