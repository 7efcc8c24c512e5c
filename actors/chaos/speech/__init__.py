"""How each provider spells requests, answers and errors on the wire: one file a format, one line each in the table."""
