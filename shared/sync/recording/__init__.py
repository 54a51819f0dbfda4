"""The figures of a pass, and where they are recorded: the mailbox, its runs, the log, and the metrics."""
