"""The library that *Transformers and Attention from Zero* builds, piece by piece.

Each module is imported where it is needed, so that reading a word list does not load torch. The
modules in ``display/`` are imported by their own names: ``attention_course.plots``.
"""

__version__ = "0.1.0"

__path__.append(f"{__path__[0]}/display")
