"""The named embedder for languages that the default does not speak, and who speaks what.

Its weights (471 MB) are on the hub and in no package, so a person gets them once by themselves; the app offers it where
a file's language is not the default's.
"""

from __future__ import annotations

from dataclasses import dataclass

from satchel.runtime.knowledge.embedders.model_folder import Prefixes
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint


@dataclass(frozen=True, slots=True)
class NamedEmbedder:
    """A model of the hub at one revision."""

    name: str
    revision: str
    weights_sha256: str
    license: str
    languages: frozenset[str]
    """ISO 639-1."""
    prefixes: Prefixes


_XLM_R_LANGUAGES = (
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it "
    "ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq "
    "sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh"
)
"""As its model card lists them."""

MULTILINGUAL = NamedEmbedder(
    name="intfloat/multilingual-e5-small",
    revision="fd1525a9fd15316a2d503bf26ab031a61d056e98",
    weights_sha256="1a55775f53449dac10a2bcbc312469fac40b96d53198c407081a831f81c98477",
    license="MIT",
    languages=frozenset(_XLM_R_LANGUAGES.split()),
    # Trained with them, the paper says (Wang et al. 2024, arXiv:2402.05672), and not in its configuration.
    prefixes=Prefixes(query="query: ", passage="passage: "),
)

_DEFAULT_NAME = "all-MiniLM-L6-v2"
_DEFAULT_LANGUAGES = frozenset({"en"})


def speaks(fingerprint: EmbedderFingerprint, language: str) -> bool:
    """Tell whether an embedder was made for a language (ISO 639-1); an unknown language ("") is never refused.

    Of a model that is neither the default nor the multilingual one nothing is known: its owner chose it.
    """
    if not language:
        return True
    if fingerprint.weights_sha256 == MULTILINGUAL.weights_sha256:
        return language in MULTILINGUAL.languages
    return fingerprint.name != _DEFAULT_NAME or language in _DEFAULT_LANGUAGES
