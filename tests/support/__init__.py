"""What the fixtures are made of: databases, slots and real processes."""
