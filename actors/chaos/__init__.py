"""Bad weather on purpose, and the same weather again from its seed."""
