"""Work out what Bicep files come to, with the compiler's own snapshots."""
