"""The error of a profile with mistakes."""

from __future__ import annotations

from fencelab_yaml.errors import Problems, YamlFileError


class ProfileError(YamlFileError):
    """The profile has mistakes and cannot be used. `str()` has one line per problem."""


def profile_problems() -> Problems:
    """Collects the mistakes of a profile."""
    return Problems("profile", ProfileError)
