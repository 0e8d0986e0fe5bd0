"""What the functions of a layer take, check and make of its random letters."""

from __future__ import annotations

from symopt.program.group_kernel import GroupKernel
from symopt.program.ir import NUMBER, WORD, Argument
from symopt.program.randomness import WORDS, Source
from symopt.targets.python_code import number_code

Sources = tuple[Source, ...]

_WORDS = {
    "seed": "a whole number from 0 to 2**64 - 1; it, the step and the place decide what is drawn",
    "step": "likewise; each step draws anew",
}


def words_of(drawn: Sources) -> list[Argument]:
    """The words that a user chooses, where anything is drawn."""
    return [Argument(one, WORD) for one in WORDS] if drawn else []


def drawn_numbers(drawn: Sources) -> dict[str, Argument]:
    """The hyperparameters that what is drawn depends on, by name."""
    read = (letter for one in drawn for letter in one.read)
    names = ((one.spelling.python, one.domain) for one in read)
    return {name: Argument(name, NUMBER, domain=domain) for name, domain in names}


def checked_words(drawn: Sources) -> list[str]:
    """Lines that check the words, and make limits of probabilities."""
    words = [f'{one.name} = _check_word("{one.name}", {one.name})' for one in words_of(drawn)]
    return [*words, *(f"{one.limit} = _below({number_code(one.share)})" for one in drawn)]


def drawn_arrays(one: GroupKernel, model: str) -> list[str]:
    """Lines that draw whole arrays, for a kernel that does not draw by itself."""
    if one.kernel.of_kind(WORD):
        return []
    return [
        line
        for drawing in one.drawn
        for line in drawn_array(drawing, "shapes.element", f"{model}.dtype")
    ]


def drawn_array(one: Source, shape: str, dtype: str) -> list[str]:
    """Lines that make an array of the values of a letter."""
    passed = ", ".join((f"{one.name}.reshape(-1)", "0", *one.numbers))
    return [
        f'{one.name} = _result("{one.name}", {shape}, {dtype}, kept)',
        f"{one.function}({passed})",
    ]


def word_words(one: Argument) -> str:
    """What a docstring says of a word."""
    return f"{one.name}: {_WORDS[one.name]}."
