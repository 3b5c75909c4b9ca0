"""A CSV as Excel saves it on a Chinese Windows trains from the command line with nothing but its name.

Needs multilingual-e5-small, which is embedded and fetched when first chosen.
Run: python -m pytest tests/engine/data/test_excel_chinese.py
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.assets import is_cached
from engine.assets.help_desk import messages_file
from engine.report.files import load_report

ROOT = Path(__file__).resolve().parents[3]
TOPICS = {"delivery": "物流配送", "payment": "支付问题", "account": "账号问题"}


@pytest.mark.training
@pytest.mark.skipif(not is_cached("e5-small"), reason="needs e5-small (python -m engine.assets e5-small)")
def test_a_gb18030_csv_with_chinese_names_trains_without_a_setting(runs_dir, tmp_path):
    messages = [json.loads(line) for line in messages_file("zh").read_text(encoding="utf-8").splitlines()]
    path = tmp_path / "客户留言.csv"
    with path.open("w", encoding="gb18030", newline="") as out:
        writer = csv.writer(out)  # \r\n and quotes only where needed, as Excel writes
        writer.writerow(["序号", "留言时间", "留言内容", "问题类型", "客户电话"])
        few = [m for topic in TOPICS for m in [m for m in messages if m["topic"] == topic][:45]]
        for number, message in enumerate(few, start=1):
            when = f"2026/3/{number % 28 + 1} {number % 12 + 8}:05"
            writer.writerow([number, when, message["text"], TOPICS[message["topic"]], f"1380000{number:04d}"])
    done = subprocess.run(
        [sys.executable, "-m", "engine", "train", "--train", path, "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    report = load_report(Path(result["run"], "report"))
    manifest = json.loads(Path(result["run"], "manifest.json").read_text(encoding="utf-8"))
    assert manifest["facts"]["columns"] == {"text": "留言内容", "label": "问题类型"}
    assert manifest["model"] == "e5-small"
    assert set(report["confusion"]["labels"]) == set(TOPICS.values())
    assert result["headline"]["value"] > result["baselines"]["majority"][result["headline"]["metric"]] + 0.2
