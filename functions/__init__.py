"""The entry points: a file per trigger or group of routes. Each handler decodes, makes one call, encodes."""
