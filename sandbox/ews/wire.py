"""The namespaces of Exchange Web Services except the types namespace, in which fragments are written.

Answers are strings with the prefixes `m:` (messages) and `t:` (types), declared once on the envelope.
"""

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"

M = f"{{{MESSAGES}}}"
