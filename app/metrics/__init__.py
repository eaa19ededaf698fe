"""What each process counts and times, for Prometheus; docs/metrics.md lists it.

Imports nothing of ours, so that whatever does the work may count it. What PostgreSQL knows is not
here: app/web/queue_metrics.py reads it at each scrape.
"""
