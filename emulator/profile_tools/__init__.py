"""How a profile comes from a real BMC: read a service or a mock-up, scrub it, watch power commands, write the YAML.

`emulator.profile_commands.capture`, `probe` and `proxy` are the commands; here is what they do. Nothing here uses the emulator.

| pure | what |
| --- | --- |
| `json_values`, `resource_tree` | JSON as it came from a stranger, and the resources of a service by path |
| `walk` | which resource is read next, and when to stop |
| `same_shape`, `scrub` | another value of the same form for each serial number, address, name and key |
| `identity_facts`, `nearest_parent` | what a tree says of its BMC, and the shipped profile that is most like it |
| `observed`, `power_table` | one watched power command, and the cells, outcomes and effects that follow from many |
| `yaml_text`, `captured_profile`, `observed_profile` | the profile as text |
| `probe_plan`, `exchanges` | which cell is tried next; power commands found in the traffic of a proxy |

| with files and sockets | what |
| --- | --- |
| `mockup_files`, `tree_files` | reads folders and archives; writes `DIR` |
| `bmc_client`, `chassis_client` | Redfish over `http.client`, IPMI over pyghmi |
| `probe_run`, `proxy_server` | one probe from the first read to the last; the TLS proxy |
"""
