"""Items and folders as Graph shows them: JSON entities of Microsoft's metadata."""
