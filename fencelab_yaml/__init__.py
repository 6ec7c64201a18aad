"""Reads the YAML files that users write: the text, the form, and every mistake with its place.

`profiles`, `emulator`, `conformance` and `fencer.ha` use it; it imports none of them. `fence_bmc` does not use it.

- `source`: YAML 1.2 scalars, a position for every value, duplicate keys, limits of size and depth.
- `form`: checks a tree against a description that pydantic understands, and prints that description as JSON Schema.
- `values`: the values of which descriptions are made: text with a pattern, choices, numbers.
- `errors`: mistakes as `file:line:column: path: message`.

Descriptions are `TypedDict`s: a key that a user may leave out is `NotRequired`, which is something else than null.
"""
