"""What a scenario may expect of one ask. One file per family; each expectation is a dataclass with `check` and `phrase`."""
