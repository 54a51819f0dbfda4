"""The program, with one folder per subject. The imports each may have are in pyproject.toml, under import-linter."""
