"""Rows that tests start from, each made by the use case that makes it in production, if any."""
