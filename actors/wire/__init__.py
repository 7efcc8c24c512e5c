"""Bytes to values and values to bytes, one file a dialect; pure."""
