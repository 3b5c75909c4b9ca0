"""What is special to finding answers in a text: windows over it, spans in them, and when to say that there is none."""

# The tasks first: they are made of these modules, which would otherwise be found half read when one of them is imported alone.
import engine.tasks  # noqa: F401
