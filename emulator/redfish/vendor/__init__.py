"""What a profile adds to the built-in tree: OEM actions, its own JSON resources, a captured tree, refusals."""
