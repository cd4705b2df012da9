"""The course's generated corpora and their vocabularies."""

from .blanks import BlankSentence, BlankSentences, FillInTheBlank, fill_in_the_blank, read_out
from .pairs import SentencePair, TranslationCorpus, further, translation
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
    "read_out",
    "translation",
]
