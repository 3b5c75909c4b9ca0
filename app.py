"""The door: settings -> build_demo() -> queue -> launch."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from demo.launch import launch
from engine.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Tunebench: fine-tune a transformer on your own table, in the browser."
    )
    parser.add_argument(
        "--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), help="address to listen on"
    )
    parser.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")), help="port")
    parser.add_argument("--share", action="store_true", help="also make a temporary public link")
    launch(Settings.from_env(), **vars(parser.parse_args()))


if __name__ == "__main__":
    main()
