"""What the audit log's chain costs those who write, and how long it takes to verify."""
