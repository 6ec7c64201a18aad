"""How fencers are invoked: one module per adapter, and the fencer file that says which one is meant."""
