"""Writes events and tasks as iCalendar (RFC 5545).

calendar.py writes the files, vevent.py and vtodo.py the components, times.py and properties.py what they share.
"""
