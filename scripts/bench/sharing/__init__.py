"""How the workers are shared between a large job and the small ones beside it."""
