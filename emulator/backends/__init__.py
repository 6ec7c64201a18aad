"""Drivers of hosts that are containers or local process groups."""
