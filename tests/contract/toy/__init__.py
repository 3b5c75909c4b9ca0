"""A task that only the tests know: sentences are given stars, a number from 1 to 5, by regression.

It is added to TASKS and TABS by the fixture `toy` (tests/contract/conftest.py); nothing outside tests/ names it.
"""
