"""Items and folders as EWS shows them."""
