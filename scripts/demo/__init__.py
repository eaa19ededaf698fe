"""What the quickstart shows: people enrolled and identified through the public API alone."""
