"""``face-ops``, the command line: it reads and writes the storage, and the Face resource, as the user."""
