"""What is special to finding answers in a text: windows over it, spans in them, and when to say that there is none."""
