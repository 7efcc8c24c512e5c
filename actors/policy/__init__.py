"""Judgements: pure functions over values; clocks and dice are arguments."""
