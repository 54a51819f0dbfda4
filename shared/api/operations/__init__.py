"""The operations of the API: each a function of the program's components and a call."""
