"""Sessions of signed-in people, and the signatures they rest on."""
