"""Measure what a long history and many live watches cost the app's storage."""
