"""Reports: for people (terminal, HTML), for CI (JUnit), for machines (JSON). All are functions of results alone."""
