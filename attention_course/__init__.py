"""The library that *Transformers and Attention from Zero* builds, piece by piece.

Each module is imported where it is needed, so that reading a word list does not load torch.
"""

__version__ = "0.1.0"
