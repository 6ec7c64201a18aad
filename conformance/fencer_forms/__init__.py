"""The form of fencer files: the keys that all fencers have, and those of each adapter.

The adapters name their forms and do not import them: the modules load pydantic, which takes some 100 ms. `whole` puts the form of
a file together.
"""
