"""One budget of calls for a Face resource, shared by all instances of the app."""
