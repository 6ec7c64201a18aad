"""The commands of `fence-conformance`: one module each, called like the command, with the function `command`.

`conformance.cli` finds them by their file names. To add a command, write one module here; nothing else has to be changed.
"""
