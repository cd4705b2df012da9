"""The Chinese edition's full-text index: whatever a reader types, however short, is in it.

The segmenter's words are indexed as Sphinx does it, and each character by itself too. So a query of
one character finds its pages, and one that the segmenter cuts otherwise is found by its characters.
The browser's side is ``static/zhsearch.js``.
"""

from __future__ import annotations

import re

from sphinx.search.zh import SearchChinese

_CHARACTER = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


class Chinese(SearchChinese):
    """Sphinx's index of Chinese pages with every character added."""

    def split(self, input: str) -> list[str]:
        return super().split(input) + _CHARACTER.findall(input)

    def word_filter(self, stemmed_word: str) -> bool:
        return len(stemmed_word) > 1 or stemmed_word.isalnum()
