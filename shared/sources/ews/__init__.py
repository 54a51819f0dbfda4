"""Mail from Exchange Web Services: exchangelib's sessions and vocabulary, our own short requests and fast reading.

sources.py opens mailboxes; mailbox.py is one of them. session.py speaks HTTP, soap_request.py and shapes.py write
requests, soap_response.py reads SOAP, and a file for each kind of thing reads or writes that kind. errors.py holds the
one table of what can go wrong.
"""
