"""Fast paths: other ways to compute the same numbers, each beside the plain way and held to it by a test.

`fast_paths.py` lists them, and the setting `training.optimizations` switches all of them off. A module here knows one path; none knows
tasks or training.
"""
