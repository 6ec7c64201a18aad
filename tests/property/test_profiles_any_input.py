"""Whatever a file holds, the loader answers with a profile or with sentences."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import profiles
from fencelab_yaml.form import keys_with_descriptions
from profiles import ProfileError
from profiles.blocks import CHASSIS_COMMANDS, STATES
from profiles.format import PROFILE
from tests.effort import examples

HEAD = b"schema: profile/1\nid: acme\ntitle: Acme\nextends: dmtf-generic\n"
SHIPPED = profiles.path("dell-idrac9").read_bytes()
QUIET = settings(
    max_examples=examples(75), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def never_anything_but_a_profile_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "acme.yaml")
        file.write_bytes(data)
        try:
            profiles.load(file)
        except ProfileError as error:
            said = str(error)
        else:
            return
        assert said
        assert all(line.startswith((str(file), "... and")) for line in said.splitlines())


def _words() -> set[str]:
    """Every key of the format, so that random trees meet the real ones."""
    paths = (path for path, _, _ in keys_with_descriptions(PROFILE.schema()))
    return {step for path in paths for step in path.replace("[]", "").split(".")} | {*STATES, *CHASSIS_COMMANDS}


KEYS = st.sampled_from(sorted(_words() | {"ForceOff", "accepted", "boot", "none", "force_off"})) | st.text(max_size=5)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 700)
    | st.floats()
    | KEYS
    | st.sampled_from(["?", "captured", "inferred", "pub", "{serial}", "{x}", "dmtf-generic", "absent", "random"])
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=30)
BLOCKS = st.dictionaries(st.sampled_from(sorted(set(PROFILE.keys) - {"extends"})), TREES, max_size=4)


@QUIET
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf\x00")
@example(b"[" * 100_000)
@example(b"{a: " * 5_000)
@example(b"? " * 5_000)
@example(b"&a [*a, *b]")
@example(b"%YAML 9.9\n---\na: b")
@example(b"%TAG ! !\n--- !x a")
@example(b"a: !!binary aGk=")
@example(b"'" * 999)
def test_random_bytes(data: bytes) -> None:
    never_anything_but_a_profile_error(data)


@pytest.mark.long
@QUIET
@given(BLOCKS)
def test_random_trees_of_real_words(tree: dict[str, Any]) -> None:
    never_anything_but_a_profile_error(HEAD + yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


@QUIET
@given(st.data())
def test_a_real_profile_with_a_piece_changed(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SHIPPED)))
    end = data.draw(st.integers(start, min(len(SHIPPED), start + 40)))
    piece = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"", b"null", b"?", b"[]", b"{}", b"'", b"5", b"- ", b"\n", b": "])
    )
    never_anything_but_a_profile_error(SHIPPED[:start] + piece + SHIPPED[end:])
