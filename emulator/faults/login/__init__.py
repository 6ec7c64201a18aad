"""Seam login: accounts, passwords and session tables answer otherwise than the profile says."""
