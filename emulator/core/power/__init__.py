"""Power commands: reply tables, timed effects and gates of one system."""
