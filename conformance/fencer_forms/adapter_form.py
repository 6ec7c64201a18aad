"""What an adapter says of its part of a fencer file; `whole` makes the form of a file from it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from fencelab_yaml.values import Complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterForm:
    """`keys` is a `TypedDict` of the adapter's own keys. `over` are those of them that may differ below `over`.

    `needed` says of keys that must be there why. `check` finds in the whole file what is wrong with keys that depend on one
    another.
    """

    keys: type
    over: tuple[str, ...] = ()
    needed: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[object], Iterator[Complaint]] | None = None
