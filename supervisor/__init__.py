"""The supervisor runtime."""
