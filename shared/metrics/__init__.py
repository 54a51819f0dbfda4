"""Metrics: the program's own figures as OpenTelemetry counters and histograms, sent to Application Insights.

`instruments.py` lists them, `recording.py` records them, `meter.py` adds them up, `application_insights.py` sends them.
"""
