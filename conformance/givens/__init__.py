"""Preconditions of scenarios. One file per kind; each is a dataclass that says and does everything about itself."""
