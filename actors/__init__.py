"""Language-model streams as supervised actors."""
