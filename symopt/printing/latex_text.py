"""Words as LaTeX text."""

from __future__ import annotations

from sympy.core.alphabets import greeks

from symopt.spelling import SUBSCRIPTS, SUPERSCRIPTS, spell

_TEXT = {
    "_": r"\_",
    "≠": r"$\neq$",
    "∼": r"$\sim$",
    "…": r"$\dots$",
    "=": "$=$",
    ">": "$>$",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "−": "$-$",
    "→": r"$\to$",
    "∞": r"$\infty$",
    "≤": r"$\leq$",
    "√": r"$\surd$",
    "·": r"$\cdot$",
    "Σ": r"$\Sigma$",
    "′": "$'$",
    **{raised: f"$^{{{plain}}}$" for plain, raised in SUPERSCRIPTS.items()},
    **{low: f"$_{{{plain}}}$" for plain, low in SUBSCRIPTS.items()},
    **{spell(name).unicode: rf"$\{name}$" for name in greeks if name != "omicron"},
}


def text(words: str) -> str:
    r"""Words as LaTeX text.

    >>> text("adam.first_moment")
    'adam.first\\_moment'
    >>> text("share 1 − α")
    'share 1 $-$ $\\alpha$'
    """
    return "".join(_TEXT.get(character, character) for character in words)
