"""The blobs of a snapshot: written once, read and held to what was written."""
