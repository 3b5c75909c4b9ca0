"""Which language a text is in, by script and function words.

Run: python -m pytest tests/engine/data/test_languages.py
"""

from __future__ import annotations

import pytest

from engine.core.languages import detect_languages


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "What is the reason for this fee on my card?"),
        ("de", "Ich habe die Rechnung nicht bekommen und bin unzufrieden"),
        ("fr", "le colis est arrivé avec une boîte qui est abîmée"),
        ("es", "el paquete no es para mi y está muy dañado"),
        ("zh", "这个商品非常好"),
        ("zh", "iPhone 15 手机的屏幕坏了，怎么办？"),
        ("ja", "これは日本語の文章です"),
        ("ko", "배송이 너무 늦어요"),
        ("ru", "Посылка пришла поздно"),
        ("ar", "لم تصل الطلبية بعد"),
        ("th", "สินค้าดีมาก"),
        ("", "ok 123 🙂"),
        ("", ""),
    ],
)
def test_detected(language, text):
    assert detect_languages([text]) == [language]


def test_many_at_once():
    assert detect_languages(["", "你好吗", "", "my name is in the list and it is long", "привет"]) == [
        "",
        "zh",
        "",
        "en",
        "ru",
    ]
