"""Runs the app on one machine, with no Azure."""
