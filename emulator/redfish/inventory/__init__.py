"""Hardware and settings of a system, its chassis and its manager: one family of resources per file.

`all_resources.inventory` puts the families together.
"""
