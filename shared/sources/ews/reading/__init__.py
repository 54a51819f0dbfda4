"""Maps XML elements to the port's types: changes, folders, and items of every kind."""
