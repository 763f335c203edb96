"""From pages of the service to parts of a snapshot."""
