"""What programs may ask over HTTP: resources, operations, and their description. Knows neither HTTP nor Azure."""
