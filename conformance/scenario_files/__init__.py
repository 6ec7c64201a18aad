"""Scenarios as YAML files of users, form `scenario/1`: reading, writing, and the JSON Schema.

All three go by the dataclasses (`Scenario`, `AskStep`, and the kinds of precondition and expectation), so a new kind can be
written in a file as soon as its class is there.
"""
