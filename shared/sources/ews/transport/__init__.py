"""HTTP and SOAP: sessions, deadlines, requests written and responses parsed."""
