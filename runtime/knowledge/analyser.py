"""Text to index terms: Unicode words, folded and stemmed.

Words are those of UAX #29 after NFKC and case folding, with departures that search profits from:
- `_`, `:` and `.` part words (`max_tokens` answers "max tokens"), but initials join ("U.S." is `us`);
- digit groups join ("7,000,000" is `7000000`);
- an elided article is a word of its own where the language elides ("l'orbite" is `l`, `orbit`);
- runs of scripts written without spaces, and Korean, become overlapping pairs of characters, as in Lucene's
  CJKAnalyzer; Han characters also stand alone, since one of them can be a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import regex
import Stemmer

from satchel.runtime.knowledge.stopwords import STOP_WORDS
from satchel.runtime.packfile.schema_v1 import AnalyserFingerprint

NAME = "satchel-words"
VERSION = "1, Snowball " + ".".join(Stemmer.version().split(".")[:2])
"""The rules of this file, and the stemmers', which change a few words now and then."""

SNOWBALL_NAMES = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "eo": "esperanto", "es": "spanish",
    "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""ISO 639-1 code to Snowball algorithm; words of any other language are folded and not stemmed."""

_ELIDES = frozenset({"ca", "fr", "it"})
_CACHED_TOKENS = 1 << 18
_LONGEST_WORD = 64
"""Characters; what is longer is no word (base64, a hash) and is cut, so that it cannot fill the index."""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_WORD_CHARACTERS = r"\p{L}\p{N}\p{M}"
_APOSTROPHES = "'’ʼ＇"  # noqa: RUF001 - what people's keyboards write
# Found in the raw text, so that folding and stemming are done once for each different token and not for each place.
_TOKEN = regex.compile(rf"[{_WORD_CHARACTERS}]+(?:[.,·{_APOSTROPHES}][{_WORD_CHARACTERS}]+)*")
_FOLDED_PART = regex.compile(
    rf"(?P<run>[{_UNSPACED}](?:[{_UNSPACED}\p{{M}}])*)"
    r"|(?P<initials>\p{L}(?:\.\p{L})+(?!\.?[\p{L}\p{N}\p{M}]))"
    r"|(?P<number>\p{N}+(?:[.,']\p{N}+)+)"
    rf"|(?P<word>(?:(?![{_UNSPACED}])[{_WORD_CHARACTERS}])+(?:'(?:(?![{_UNSPACED}])[{_WORD_CHARACTERS}])+)*)"
)
_TO_APOSTROPHE = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))
_GROUPED = regex.compile(r"\p{N}{1,3}(?:[.,']\p{N}{3})+")
_HAN = regex.compile(r"\p{Han}")


def analyser_fingerprint(languages: Iterable[str]) -> AnalyserFingerprint:
    """Say which analyser this is; another one may cut or stem words differently, so that a question's terms miss."""
    return AnalyserFingerprint(name=NAME, version=VERSION, languages=tuple(sorted(set(languages))))


class Analyser:
    """Turns text of one language into terms; keeps what it has seen, so it belongs to one thread."""

    def __init__(self, language: str) -> None:
        """`language` is a BCP 47 tag ("de", "pt-BR"); empty or without a stemmer, words are folded only."""
        self.language = language.split("-", maxsplit=1)[0]
        algorithm = SNOWBALL_NAMES.get(self.language)
        # PyStemmer 3.0 lacks a few of 3.1's languages.
        self._stemmer = Stemmer.Stemmer(algorithm) if algorithm in Stemmer.algorithms() else None
        self._stop_words = STOP_WORDS.get(self.language, frozenset())
        self._seen: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def terms(self, text: str) -> list[str]:
        """Return the terms of a passage, in order, repeats included."""
        found: list[str] = []
        for token in _TOKEN.findall(text):
            found += self._look_up(token)[0]
        return found

    def content_terms(self, text: str) -> list[str]:
        """Return the terms of a text without its function words ("what", "did")."""
        found: list[str] = []
        for token in _TOKEN.findall(text):
            found += self._look_up(token)[1]
        return found

    def query_terms(self, text: str) -> list[str]:
        """Return the terms that a question is searched by: without its function words, unless nothing else is in it.

        Passages keep theirs in the index: which words to skip is the question's matter, and changes without a new pack.
        """
        return self.content_terms(text) or self.terms(text)

    def _look_up(self, token: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return a token's terms, and the same or none if it is a function word."""
        known = self._seen.get(token)
        if known is None:
            if len(self._seen) >= _CACHED_TOKENS:
                self._seen.clear()
            terms = tuple(self._analyse(token))
            is_function_word = token.translate(_TO_APOSTROPHE).casefold() in self._stop_words
            known = self._seen[token] = (terms, () if is_function_word else terms)
        return known

    def _analyse(self, token: str) -> list[str]:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", token).casefold()).translate(
            _TO_APOSTROPHE
        )
        terms: list[str] = []
        for part in _FOLDED_PART.finditer(folded):
            text = part[0]
            match part.lastgroup:
                case "run":
                    terms += _HAN.findall(text)
                    terms += [text[at : at + 2] for at in range(len(text) - 1)] or ([] if _HAN.match(text) else [text])
                case "initials":
                    terms.append(text.replace(".", ""))
                case "number":
                    terms.append(_without_groups(text))
                case _:
                    terms += self._stem(text)
        return terms

    def _stem(self, word: str) -> list[str]:
        word = word[:_LONGEST_WORD].rstrip("'")
        words = word.split("'") if self.language in _ELIDES else [word]
        if self._stemmer is None:
            return words
        stems: list[str] = self._stemmer.stemWords(words)
        return stems


def _without_groups(number: str) -> str:
    """Drop the marks of digit groups; a decimal mark stays, as a full stop."""
    if _GROUPED.fullmatch(number):
        return number.translate({ord(mark): None for mark in ".,'"})
    return number.replace(",", ".")
