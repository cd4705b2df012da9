"""A 700-byte font that gives Chinese characters a width and nothing else.

The browser draws a figure's text (SVG with live text), with a Chinese font that every reader's
device has. matplotlib only has to leave room for it, and no machine that runs the book needs a
Chinese font: Colab has none. Each CJK character is one em wide, so one blank glyph stands for all.
"""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

FAMILY = "Attention Course CJK metrics"
# Quotation marks and dashes that Chinese sets full-width, CJK symbols and kana, ideographs, forms.
_RANGES = (
    (0x2E80, 0x30FF),
    (0x3200, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF00, 0xFFEF),
)


@cache
def register() -> str:
    """Make the font known to matplotlib and return its family name."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
    from fontTools.ttLib.tables._g_l_y_f import Glyph
    from matplotlib import font_manager

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "wide"])
    builder.setupCharacterMap({_RANGES[0][0]: "wide"})
    builder.setupGlyf({".notdef": Glyph(), "wide": Glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "wide": (1000, 0)})
    builder.setupHorizontalHeader(ascent=880, descent=-240)
    builder.setupNameTable({"familyName": FAMILY, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-240, usWinAscent=880, usWinDescent=240)
    builder.setupPost()
    # Format 13 maps a whole range of characters to one glyph.
    table = CmapSubtable.newSubtable(13)
    table.platformID, table.platEncID, table.language = 3, 10, 0
    table.format, table.reserved, table.length, table.nGroups = 13, 0, 0, 0
    table.cmap = {c: "wide" for first, last in _RANGES for c in range(first, last + 1)}
    builder.font["cmap"].tables = [table]

    folder = tempfile.TemporaryDirectory(prefix="attention-course-")
    atexit.register(folder.cleanup)  # matplotlib reads the file whenever it draws
    path = Path(folder.name) / "metrics.ttf"
    builder.save(path)
    font_manager.fontManager.addfont(path)
    return FAMILY
