"""How fast the API takes jobs."""
