"""Hold the app's own code; nothing in here knows azure.functions."""
