"""Splits by file names: train, validation or test, in English or Chinese.

Knows words in names. Does not read files.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from engine.core.errors import FileProblem
from engine.core.text import Text

SPLITS = ("train", "validation", "test")
_WORDS = {
    "train": ("train", "training", "trn", "训练", "训练集"),
    "validation": ("validation", "valid", "val", "dev", "devel", "验证", "验证集", "开发集"),
    "test": ("test", "testing", "tst", "eval", "测试", "测试集"),
}


def split_of_name(name: str, assigned: Collection[str] = ()) -> str:
    """The split that a file name denotes, unless it is in `assigned`; empty where the name denotes none."""
    stem = Path(name).name.split(".")[0].casefold()
    for sign in "- ()（）【】[]":
        stem = stem.replace(sign, "_")
    words = stem.split("_")
    for split, split_words in _WORDS.items():
        # Chinese names have no separator between words.
        if split not in assigned and any(
            word in words or (not word.isascii() and word in stem) for word in split_words
        ):
            return split
    return ""


def split_files(names: Sequence[str]) -> dict[str, str]:
    """Split -> file name, for one or several files. A single file is the training file, whatever its name.

    Of several, one may be unnamed where no other is called train. Raises FileProblem that names the files where they leave it
    open.
    """
    if len(names) == 1:
        return {"train": names[0]}
    splits: dict[str, str] = {}
    unnamed: list[str] = []
    for name in names:
        split = split_of_name(name)
        if split in splits:
            raise _unclear(
                names,
                Text(
                    f"{splits[split]} and {name} are both {split} files", f"{splits[split]} 与 {name} 都是 {split} 文件"
                ),
            )
        if split:
            splits[split] = name
        else:
            unnamed.append(name)
    if len(unnamed) == 1 and "train" not in splits:
        splits["train"] = unnamed.pop()
    if unnamed:
        listed = Text(", ".join(unnamed), "、".join(unnamed))
        raise _unclear(names, Text(f"{listed.en} could be any of them", f"无法判断 {listed.zh} 属于哪一部分"))
    if "train" not in splits:
        raise _unclear(names, Text("none of them is called train", "其中没有名为 train 的文件"))
    return {split: splits[split] for split in SPLITS if split in splits}


def _unclear(names: Sequence[str], reason: Text) -> FileProblem:
    return FileProblem(
        "unclear_splits",
        Text(
            f"Several files were given ({', '.join(names)}), and {reason.en}.",
            f"提供了多个文件（{'、'.join(names)}），但{reason.zh}。",
        ),
        Text(
            "Name them train, validation and test, or give them one by one.",
            "请将它们命名为 train、validation、test，或逐个提供。",
        ),
        file=names[0],
        files=list(names),
    )
