"""Starts the app: `python app.py`. A Hugging Face Space runs this file."""

from __future__ import annotations

from demo.serve import main

if __name__ == "__main__":
    main()
