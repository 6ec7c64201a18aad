#!/usr/bin/env bash
# Gates fence.sh: exit code 0 if it may be trusted with these BMCs, 3 if it claimed off for a host that was on. Options are handed on.
cd "$(dirname "$0")" || exit 2
exec fence-conformance run --fencer ./fence.yaml --profile "${PROFILES:-dell-idrac9}" --tier 0 "$@"
