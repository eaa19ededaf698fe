"""Backups, restores and upkeep of the database: what the shell scripts beside this folder start."""
