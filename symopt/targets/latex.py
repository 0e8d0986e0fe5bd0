r"""LaTeX: each declaration as a fragment to \input, and a document that holds them all."""

from __future__ import annotations

from symopt.declaration import Declaration, UpdateRule
from symopt.derivation.api import derivations, formulas
from symopt.derivation.rule import derive_rule
from symopt.printing.latex import SlidePrinter
from symopt.printing.latex_text import text
from symopt.targets.bfloat16_states import (
    ROUNDING,
    checked_states,
    kept_states,
    own_fingerprint,
    rounding_formulas,
)
from symopt.targets.target import Options, Target
from symopt.targets.templates import render


def render_fragment(declared: Declaration, options: Options) -> str:
    """The formulas as the slide has them, with notes on misprints and what is derived from them."""
    checked_states(declared, options)
    shown = formulas(declared, SlidePrinter(options.style))
    return render(
        "latex",
        "fragment.tex.jinja",
        name=declared.name,
        summary=declared.summary,
        fingerprint=own_fingerprint(declared, options),
        formulas=[
            {"text": one.text, "id": one.id, "end": " \\\\" if one is not shown[-1] else ""}
            for one in shown
        ],
        notes=[*(text(one.note) for one in shown if one.note), *_rounding(declared, options)],
        derivations=[one.latex(options.style) for one in derivations(declared)],
    )


def _rounding(declared: Declaration, options: Options) -> list[str]:
    """What is said of states that are kept in bfloat16."""
    if not options.states or not isinstance(declared, UpdateRule):
        return []
    system = derive_rule(declared)
    states = kept_states(system, options)
    formulas = rounding_formulas(system, states, SlidePrinter(options.style).doprint, r"\mapsto")
    return [f"${formulas}$: {text(ROUNDING)}"]


def render_document(collection: str, declared: tuple[Declaration, ...]) -> dict[str, str]:
    """A document that inputs every fragment, in the order in which they are given."""
    sections = [
        {"name": one.name, "title": text(one.title), "summary": text(one.summary)}
        for one in declared
    ]
    return {f"{collection}.tex": render("latex", "document.tex.jinja", sections=sections)}


LATEX = Target("latex", ".tex", render_fragment, render_document)
