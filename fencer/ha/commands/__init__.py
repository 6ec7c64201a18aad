"""The commands of `fence-ha`: one module each, called like the command (`_` for `-`), with the function `command`.

`fencer.ha.cli` finds them by their file names. To add a command, write one module here; nothing else has to be changed.
"""
