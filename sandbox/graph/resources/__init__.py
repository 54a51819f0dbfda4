"""What the paths of Graph answer, a file per API."""
