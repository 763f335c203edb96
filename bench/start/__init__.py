"""Measure what a cold start of the app costs."""
