"""How long a backup and a restore take, and how large they are."""
