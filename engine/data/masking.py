"""Masking personal data in the texts of examples.

Knows what the kinds of personal data are called. How they are recognised is in personal.py; the task moves what refers to places
in a text, such as spans.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.personal_data import mask_with_offsets
from engine.data.task import DataTask
from engine.schema import Example

KINDS: dict[str, Text] = {
    "email": Text("e-mail addresses", "邮箱地址"),
    "phone": Text("telephone numbers", "电话号码"),
    "card": Text("payment card numbers", "银行卡号"),
    "identity": Text("identity numbers", "身份证件号码"),
    "iban": Text("bank account numbers (IBAN)", "国际银行账号（IBAN）"),
}


def mask_example(example: Example, task: DataTask) -> Example:
    """The example with personal data masked in all its texts; the same object where there is none."""
    masked = task.rewrite_texts(example, mask_with_offsets)
    return example if masked == example else masked
