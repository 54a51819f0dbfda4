"""GetItem in batches: shapes, batch sizes, retries of parts, pages."""
