"""Events, contacts, distribution lists and tasks as typed values, and the .ics and .vcf files made of them.

The values say what the iCalendar and vCard files need and nothing about where an item came from: a source (EWS, Graph)
maps its own answers to them. event.py, contact.py and task.py hold the values; common.py, recurrence.py and zone.py
what they share; ics.py and vcf.py write the files.
"""
