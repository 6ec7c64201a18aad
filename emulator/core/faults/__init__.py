"""Faults as data: what a request is, when a fault acts on it, and which faults are armed."""
