"""The truth about a host: its rail, its operating system, and who drives it."""
