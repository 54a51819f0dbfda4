"""HTTP and SOAP for EWS: sessions, deadlines, request writing and response parsing."""
