"""The API for programs: a file for each group of resources. The callers have an access token with the role Operator."""
