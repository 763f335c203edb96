"""Simulate more trainings than the budget of calls can follow closely."""
