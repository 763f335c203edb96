"""Measure what the schedule costs beside others, and beside the exact optimum."""
