"""What a pass keeps: the cursor that it makes, the pages on their way, open issues."""
