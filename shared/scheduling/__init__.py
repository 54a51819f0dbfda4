"""Who is due: the dispatch, the daily work and the poison queue."""
