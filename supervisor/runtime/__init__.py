"""Trio tasks: the loop that owns a tree, its incarnations, and the actors that live in it."""
