"""Measure the snapshot job: its use of the request budget, its speed, its memory and its calls."""
