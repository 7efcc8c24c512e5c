"""Who can answer: the official clients, wired to our pool and our dialects."""
