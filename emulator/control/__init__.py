"""Control of a running emulator from other processes: a REST listener, a Python client, and the commands of `bmc-emulator`.

`ControlListener` serves one `Emulator` in threads of its own. Each request becomes one short call into the emulator's thread,
through the public API of `emulator` and nothing below it. docs/control.md is for users.
"""
