"""Measure how many instances share one budget: in real processes, and by simulation."""
