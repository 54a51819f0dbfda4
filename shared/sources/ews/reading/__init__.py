"""XML elements to the port's types: changes, folders, items of every kind."""
