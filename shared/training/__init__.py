"""Watch trainings until they end, and report each end once."""
