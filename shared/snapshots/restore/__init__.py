"""Groups and their members brought back from a copy."""
