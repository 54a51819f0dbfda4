"""The program: a folder per subject. What each may import is in pyproject.toml, under import-linter."""
