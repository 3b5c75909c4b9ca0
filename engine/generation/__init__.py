"""Generating text: prompt templates and their tokens, the loss on target tokens, and decoding in batches.

Shared by every generative task. Knows neither tasks, tables, runs nor reports.
"""
