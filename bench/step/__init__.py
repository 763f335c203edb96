"""Measure what a poll, a request and an end cost, beside the first version of the watch."""
