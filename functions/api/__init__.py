"""The API for programs: decodes a request, calls the operation in shared/api, and encodes its answer."""
