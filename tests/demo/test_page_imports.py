"""The page opens without PyTorch. Run: python -m pytest tests/demo/test_page_imports.py"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_building_the_page_imports_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys, os\n"
        f"os.environ['TUNEBENCH_RUNS'] = {str(tmp_path / 'runs')!r}\n"
        "from demo.ui import build_demo\n"
        "from engine.core.settings import Settings\n"
        "build_demo(Settings.from_env())\n"
        "print(sorted({'torch', 'transformers', 'peft', 'datasets', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_font_or_script_comes_from_a_server() -> None:
    for name in ("style.css", "head.html", "theme.py"):
        text = (ROOT / "demo" / name).read_text(encoding="utf-8")
        assert "http://" not in text.replace("http://www.w3.org", "").replace("'http%3A//www.w3.org", "")
        assert "https://" not in text
        assert "GoogleFont" not in text
