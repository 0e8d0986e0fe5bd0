"""What ``debias`` means: the responses of a recurrence, as recurrences that are run, not solved.

v̂_t = (v_t − the response to v_0 alone) / (the response, from 0, to a constant 1 as data).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Add, Basic, Expr, Indexed, Mul, Pow, S

from symopt.errors import DeclarationError
from symopt.notation import Sequence, hat, sequence
from symopt.verification.definitions import Definition, entries, mixed
from symopt.views import rewrite

HasData = Callable[[Basic], bool]


def unbiased(average: Definition, has_data: HasData) -> tuple[Definition, ...]:
    """The corrected average and the three responses it is made of.

    Raises
    ------
    DeclarationError
        If the recurrence is not linear in its own past with coefficients free of data.
    """
    letter, offset = average.letter, average.offset
    start = S.Zero if average.initial is None else average.initial
    begun, kept, driven = (_beside(letter, word) for word in ("start", "kept", "response"))
    now = average.step + offset
    rest = Add(letter[now], Mul(S.NegativeOne, begun[now], evaluate=False), evaluate=False)
    quotient = Mul(rest, Pow(driven[now], S.NegativeOne, evaluate=False), evaluate=False)
    return (
        _response(average, has_data, begun, drive=S.Zero, first=start),
        _response(average, has_data, kept, drive=S.Zero, first=S.One),
        _response(average, has_data, driven, drive=S.One, first=S.Zero, kept=kept),
        Definition(average.id, hat(letter), average.step, offset, quotient),
    )


def _beside(letter: Sequence, word: str) -> Sequence:
    return sequence(f"judge_{letter.spelling.python.strip('_')}_{word}")


def _response(
    average: Definition,
    has_data: HasData,
    response: Sequence,
    drive: Expr,
    first: Expr,
    kept: Sequence | None = None,
) -> Definition:
    right = _Driven(average, has_data, response, drive).term(average.right)
    return Definition(
        average.id,
        response,
        average.step,
        average.offset,
        right,
        first,
        mixed(right, response),
        kept=kept,
    )


class _Driven:
    """A recurrence with its own past renamed, and in place of what it averages a constant."""

    def __init__(
        self, average: Definition, has_data: HasData, response: Sequence, drive: Expr
    ) -> None:
        self.average = average
        self.has_data = has_data
        self.response = response
        self.drive = drive

    def term(self, part: Expr) -> Expr:
        """A term of the recurrence, opened where the past and the data are mixed in it."""
        if isinstance(part, Indexed) and self._own(part):
            return rewrite(part, self._renamed)
        if isinstance(part, Add) and self._own(part):
            return Add(*map(self.term, part.args), evaluate=False)
        if isinstance(part, Mul):
            return self._product(part)
        if self._own(part):
            raise self._refusal(part, "does not enter linearly into")
        if not self.has_data(part):
            raise self._refusal(part, "is driven by no data in")
        return self.drive

    def _product(self, product: Mul) -> Expr:
        parts = list(_flat(product))
        past = [one for one in parts if self._own(one)]
        data = [one for one in parts if not self._own(one) and self.has_data(one)]
        scalars = [one for one in parts if not self._own(one) and not self.has_data(one)]
        if len(past) > 1 or (past and data):
            raise self._refusal(product, "does not enter linearly, with a fixed coefficient, into")
        if not past and not data:
            raise self._refusal(product, "is driven by no data in")
        inner = self.term(past[0]) if past else self.drive
        return Mul(*scalars, inner, evaluate=False)

    def _own(self, part: Basic) -> bool:
        return any(one.base == self.average.letter for one in entries(part))

    def _renamed(self, part: Basic) -> Basic | None:
        if isinstance(part, Indexed) and part.base == self.average.letter:
            return self.response[part.indices]
        return None

    def _refusal(self, part: Basic, why: str) -> DeclarationError:
        return DeclarationError(
            f"{self.average.id} cannot be debiased: {self.average.letter} {why} {part}; "
            "write an average such as v[t] = beta*v[t-1] + (1-beta)*g[t]"
        )


def _flat(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Mul):
        for part in expr.args:
            yield from _flat(part)
    else:
        yield expr
