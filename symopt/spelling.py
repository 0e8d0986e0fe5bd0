"""How a symbol is spelt: in LaTeX, in Unicode and in Python, all from one word."""

from __future__ import annotations

import keyword
import unicodedata
from dataclasses import dataclass

from sympy.core.alphabets import greeks

from symopt.errors import DeclarationError

SUBSCRIPTS = {
    **dict(zip("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", strict=True)),
    **dict(zip("aehijklmnoprstuvx", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)),
}
SUPERSCRIPTS = {
    **dict(zip("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾", strict=True)),
    **dict(zip("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True)),
}


@dataclass(frozen=True, order=True)
class Spelling:
    """The three names of one symbol: ``\\beta_1``, ``β₁`` and ``beta_1``."""

    latex: str
    unicode: str
    python: str

    @property
    def hatted(self) -> Spelling:
        r"""The same names under a hat, which stands over the letter and not over its power.

        >>> spell("G").hatted
        Spelling(latex='\\hat{G}', unicode='Ĝ', python='G_hat')
        """
        return self._under("hat", "\N{COMBINING CIRCUMFLEX ACCENT}")

    @property
    def tilded(self) -> Spelling:
        r"""The same names under a tilde.

        >>> spell("u").tilded
        Spelling(latex='\\tilde{u}', unicode='ũ', python='u_tilde')
        """
        return self._under("tilde", "\N{COMBINING TILDE}")

    def _under(self, accent: str, mark: str) -> Spelling:
        letter, caret, power = self.latex.partition("^")
        plain = self.unicode.rstrip("".join(SUPERSCRIPTS.values()))
        composed = unicodedata.normalize("NFC", plain + mark)
        raised = self.unicode[len(plain) :]
        return Spelling(
            rf"\{accent}{{{letter}}}{caret}{power}", composed + raised, f"{self.python}_{accent}"
        )

    @property
    def primed(self) -> Spelling:
        r"""The same names with a prime, which stands before a power.

        >>> spell("x").primed
        Spelling(latex="x'", unicode='x′', python='x_prime')
        """
        letter, caret, power = self.latex.partition("^")
        return Spelling(f"{letter}'{caret}{power}", f"{self.unicode}′", f"{self.python}_prime")

    def numbered(self, place: int) -> Spelling:
        r"""The same names with the number of a layer, which stands before a power.

        >>> spell("gamma").numbered(2)
        Spelling(latex='\\gamma^{(2)}', unicode='γ⁽²⁾', python='gamma_2')
        """
        letter, caret, power = self.latex.partition("^")
        own = rf"{letter}^{{({place})}}"
        raised = "".join(SUPERSCRIPTS[digit] for digit in f"({place})")
        latex = f"({own}){caret}{power}" if caret else own
        return Spelling(latex, self.unicode + raised, f"{self.python}_{place}")


def spell(word: str) -> Spelling:
    r"""The names of a symbol from one word: a letter or a Greek letter's name, then a subscript.

    >>> spell("beta_1")
    Spelling(latex='\\beta_1', unicode='β₁', python='beta_1')
    >>> spell("lambda").python
    'lambda_'

    Raises
    ------
    DeclarationError
        If the word is no Python identifier.
    """
    if not word.isidentifier() or word.startswith("_") or word.endswith("_"):
        raise DeclarationError(
            f"'{word}' is no name for a symbol; write a Python identifier such as beta_1"
        )
    base, _, index = word.partition("_")
    lowered = base.lower()
    if lowered in greeks and base in (lowered, lowered.capitalize()):
        kind = "SMALL" if base == lowered else "CAPITAL"
        greek = {"lambda": "lamda"}.get(lowered, lowered)
        latex, unicode = rf"\{base}", unicodedata.lookup(f"GREEK {kind} LETTER {greek.upper()}")
    else:
        latex = base if len(base) == 1 else rf"\mathrm{{{base}}}"
        unicode = base
    if index:
        shown = index.replace("_", ",")
        latex += f"_{shown}" if len(shown) == 1 else f"_{{{_subscript_words(shown)}}}"
        low = "".join(SUBSCRIPTS.get(c, "") for c in shown)
        unicode += low if len(low) == len(shown) else f"_{shown}"
    return Spelling(latex, unicode, f"{word}_" if keyword.iskeyword(word) else word)


def _subscript_words(index: str) -> str:
    return index if not index.isalpha() or len(index) <= 2 else rf"\mathrm{{{index}}}"
