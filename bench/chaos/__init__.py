"""Break the stack while it watches many trainings, and count what its events then say."""
