"""The sandbox's certificate authority, its certificates and its HTTPS servers."""
