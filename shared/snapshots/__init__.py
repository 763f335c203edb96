"""Copy every dynamic person group to blob storage, whole and comparable."""
