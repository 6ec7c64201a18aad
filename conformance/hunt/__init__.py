"""`fence-conformance hunt`: searches for the fewest deviations of a BMC that make a fencer claim what is not true, hang, or fail
although its goal is reached. `conformance.commands.hunt` calls it; docs/hunt.md says what it does.

`deviation` is the list of deviations, `search` decides what is tried next, `verdict` judges a run, `shrink` makes a find smaller.
All of them are pure. `trial_run` plays one run, `hunting` many of them at a time.
"""
