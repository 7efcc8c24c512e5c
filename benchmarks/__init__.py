"""Processor time per delivered event, measured beside the clients that people use otherwise.

A model's events are small and come one by one, so what counts is what one event costs the process that receives it. The
one rule: rows are compared within one run only, in turns, as ratios; the microseconds belong to the machine.
"""
