"""The API's own stores."""
