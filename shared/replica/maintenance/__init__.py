"""What is done with a replica as a whole: compact, erase, verify, export."""
