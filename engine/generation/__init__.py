"""How a model writes: the form of prompt and target, the sequences it learns from, and the loss on the target alone.

Shared by every task that answers in sentences of its own.
"""
