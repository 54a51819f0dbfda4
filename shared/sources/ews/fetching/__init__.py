"""GetItem in batches: item shapes, batch sizes, retries of parts, and paging."""
