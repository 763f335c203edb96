"""Measure what the project promises, beside what others would use."""
