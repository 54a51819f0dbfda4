"""Events, contacts, distribution lists and tasks as typed values, and the .ics and .vcf files written from them.

The values hold what the iCalendar and vCard files need and nothing about where an item came from: each source (EWS,
Graph) maps its own responses to them. values/ defines them; ics/ and vcf.py write the files, and eml.py rebuilds
messages.
"""
