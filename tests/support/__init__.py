"""Help the tests: doubles, models, builders, and the real parts they start."""
