"""The facts of Microsoft's published Bicep types that infra/ is checked against: see README.md."""
