"""The JSON Schema of the JSON report (draft 2020-12), as `fence-conformance schema report` prints it.

Rules
  1. It describes what a reader may rely on. Keys may be added within one version, so it forbids none; what is required stays.
  2. A word is listed as `enum` only where the list is closed within this version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conformance.givens.given import GivenOrigin
from conformance.report.model import SCHEMA
from conformance.scenario_files.schema import JsonSchema
from conformance.vocabulary import Ask, Claim, FindingKind, Level, Protocol, Verdict
from emulator import Os, Rail

TEXT: Final[JsonSchema] = {"type": "string"}
TEXTS: Final[JsonSchema] = {"type": "array", "items": TEXT}
BOOLEAN: Final[JsonSchema] = {"type": "boolean"}
COUNT: Final[JsonSchema] = {"type": "integer", "minimum": 0}
SECONDS: Final[JsonSchema] = {"type": "number", "minimum": 0}
VERDICT: Final[JsonSchema] = {"enum": [verdict.value for verdict in Verdict]}


def _says(schema: JsonSchema, description: str) -> JsonSchema:
    return {**schema, "description": description}


def _or_null(schema: JsonSchema) -> JsonSchema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: JsonSchema) -> JsonSchema:
    return {"type": "array", "items": items}


def _object(properties: Mapping[str, JsonSchema]) -> JsonSchema:
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


def _words(words: type[Ask | Claim | FindingKind | GivenOrigin | Level | Os | Protocol | Rail]) -> JsonSchema:
    return {"enum": [word.value for word in words]}


FINDING: Final = _object(
    {
        "verdict": VERDICT,
        "kind": _or_null(_words(FindingKind)),
        "level": _words(Level),
        "rule": _says(TEXT, "the invariant (G1 to G9) or the aspect (S, L, T, H) that found it"),
        "requirement_id": TEXT,
        "requirement": _says(TEXT, "id and sentence"),
        "source": TEXT,
        "expected": TEXT,
        "actual": TEXT,
        "seen": _says(TEXT, "what was read and commanded when; may be empty"),
        "remedy": _says(TEXT, "what to change in the fencer; may be empty"),
        "ask": _says(COUNT, "the number of the ask, from 0"),
        "chain": _says(
            _list(
                _object(
                    {
                        "seq": COUNT,
                        "cause": _or_null(COUNT),
                        "at": _says({"type": "number"}, "seconds since the ask began"),
                        "actor": TEXT,
                        "text": TEXT,
                    }
                )
            ),
            "the causal chain from the journal; empty where an earlier finding has told it",
        ),
    }
)
ASK: Final = _object(
    {
        "ask": _words(Ask),
        "bmc": TEXT,
        "claim": _words(Claim),
        "exit": _says(_or_null({"type": "integer"}), "null: ended at the cap; negative: by a signal"),
        "seconds": SECONDS,
        "rail": _words(Rail),
        "os": _words(Os),
        "incarnation_before": COUNT,
        "incarnation": COUNT,
    }
)
RESULT: Final = _object(
    {
        "scenario": TEXT,
        "profile": TEXT,
        "verdict": VERDICT,
        "kind": _or_null(_words(FindingKind)),
        "fencer": TEXT,
        "tier": COUNT,
        "level": _words(Level),
        "title": TEXT,
        "requirement": _object({"id": TEXT, "sentence": TEXT, "source": TEXT}),
        "source": TEXT,
        "protocol": _or_null(_words(Protocol)),
        "why": _says(TEXT, "one sentence; empty for a PASS"),
        "findings": _list({"$ref": "#/$defs/finding"}),
        "notes": _list({"$ref": "#/$defs/finding"}),
        "claim": _or_null(_words(Claim)),
        "truth_at_claim": _or_null(_object({"rail": _words(Rail), "os": _words(Os), "incarnation": COUNT})),
        "asks": _list({"$ref": "#/$defs/ask"}),
        "counters": _object(dict.fromkeys(("requests", "state_reads", "power_commands", "login_failures"), COUNT)),
        "assumed_cells": COUNT,
        "power_cells": _says(
            _list(
                _object({"via": _words(Protocol), "row": TEXT, "reset": TEXT, "code": COUNT, "effect": TEXT, "assumed": BOOLEAN})
            ),
            "the cells of the profile's power table that power commands met, in their order",
        ),
        "preconditions": _list(_object({"origin": _words(GivenOrigin), "sentence": TEXT})),
        "timings": _object({"seconds": SECONDS, "asks": _list(SECONDS), "deadline": SECONDS}),
        "first_verdict": _or_null(VERDICT),
        "runs": _list(_object({"verdict": VERDICT, "why": TEXT})),
        "remarks": TEXTS,
        "informational": BOOLEAN,
        "waived_from": _or_null(VERDICT),
        "said": _says(TEXT, "what the fencer printed, secrets removed"),
        "missing_protections": TEXTS,
        "not_searched": TEXTS,
        "digests": _object({"fencer": TEXT, "profile": TEXT}),
        "profile_version": _says(TEXT, "the firmware that the profile is modelled on; may be empty"),
        "repeat": _says(TEXT, "one command that does it again"),
    }
)
SUMMARY: Final = _object(
    {
        "exit_code": {"type": "integer"},
        "line": TEXT,
        "fencers": TEXTS,
        "profiles": TEXTS,
        "total": COUNT,
        "verdicts": _object({verdict.value: COUNT for verdict in Verdict}),
        "missing_protections": TEXTS,
        "not_searched": TEXTS,
        "identity_only": _says(TEXTS, "a sentence for each profile of which nobody has shown how its power behaves"),
        "assumed": _says(TEXTS, "a sentence for each profile whose unknown cells were met"),
    }
)


def schema() -> JsonSchema:
    """The schema of a whole report."""
    whole = _object(
        {
            "schema": {"const": SCHEMA},
            "version": _says(TEXT, "of the suite"),
            "started": _says(_or_null({"type": "string", "format": "date-time"}), "when the run began"),
            "seconds": _says(SECONDS, "how long it took"),
            "seed": {"type": "integer"},
            "catalogue": TEXT,
            "strict": BOOLEAN,
            "interrupted": BOOLEAN,
            "not_run": TEXTS,
            "summary": SUMMARY,
            "results": _list({"$ref": "#/$defs/result"}),
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "A report of fence-conformance",
        **whole,
        "$defs": {"result": RESULT, "finding": FINDING, "ask": ASK},
    }
