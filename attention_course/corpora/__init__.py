"""The course's generated corpora and their vocabularies."""

from .blanks import BlankSentence, BlankSentences, FillInTheBlank, fill_in_the_blank, read_out
from .pairs import (
    SentencePair,
    TranslationCorpus,
    further,
    read_chinese,
    read_english,
    translation,
)
from .vocabulary import Vocabulary

__all__ = [
    "BlankSentence",
    "BlankSentences",
    "FillInTheBlank",
    "SentencePair",
    "TranslationCorpus",
    "Vocabulary",
    "fill_in_the_blank",
    "further",
    "read_chinese",
    "read_english",
    "read_out",
    "translation",
]
