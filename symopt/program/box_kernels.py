"""Contractions as loops over a box of counters, each as far as no array is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Max, Min, Mul, S, Symbol, expand, floor

from symopt.notation import Count, Hyperparameter
from symopt.program.contractions import Access, Contraction
from symopt.program.invariants import check
from symopt.program.ir import (
    ARRAY,
    COUNT,
    NUMBER,
    Argument,
    Assign,
    Kernel,
    Loop,
    Node,
    Row,
    WhereOne,
    Whole,
    element,
    local,
)

ADD, SET = "+", ""


def box_kernel(name: str, one: Contraction, order: tuple[Symbol, ...], how: str = ADD) -> Kernel:
    """``target += number·Π factors`` or ``target = …`` in loops of this order.

    Along the innermost loop arrays are rows that are counted from 0. What is summed along it is
    gathered in float64. Zeros around an array are left out by the bounds of the loops.
    """
    return _kernel(name, one, _body(one, order, how))


def copying_kernel(name: str, one: Contraction, order: tuple[Symbol, ...], how: str) -> Kernel:
    """The same for entries that are moved, in loops of their own where their step is 1.

    Only there do rows lie side by side for the compiler too, which then moves several at once.
    """
    body, steps = _body(one, order, how), _steps(one, order[-1])
    if len(steps) == 1:
        (step,) = steps
        body = (WhereOne(step, _body(_with_one(one, step), order, how), body),)
    return _kernel(name, one, body)


def _body(one: Contraction, order: tuple[Symbol, ...], how: str) -> tuple[Node, ...]:
    return tuple(_Nest(one, order, how, local("scale") if _number(one) else None).body())


def _steps(one: Contraction, counter: Symbol) -> set[Symbol]:
    """The letters that say how far apart the entries of a row are."""
    last = (access.places[-1] for access in (one.target, *one.factors))
    return {step for place in last if (step := expand(place).diff(counter)).is_Symbol}


def _with_one(one: Contraction, step: Symbol) -> Contraction:
    """A contraction in which a letter is 1."""

    def change(access: Access) -> Access:
        return replace(access, places=tuple(x.xreplace({step: S.One}) for x in access.places))

    return replace(one, target=change(one.target), factors=tuple(map(change, one.factors)))


def _kernel(name: str, one: Contraction, body: tuple[Node, ...]) -> Kernel:
    used = dict.fromkeys(access.array for access in one.factors)
    arrays = [Argument(array, ARRAY) for array in used]
    arrays.append(Argument(one.target.array, ARRAY, written=True))
    return check(
        Kernel(
            name,
            (*arrays, *_sizes(one)),
            _number(one),
            body,
            over=one.target.array,
        )
    )


def _number(one: Contraction) -> tuple[Assign, ...]:
    if abs(one.number) == 1 and one.factors:
        return ()  # a sign at most
    return (Assign(local("scale"), one.number, cast=True),)


def _sizes(one: Contraction) -> tuple[Argument, ...]:
    """The lengths and hyperparameters that loops, places and the number read, by name."""
    accesses = (one.target, *one.factors)
    exprs = [*one.box.values(), one.number]
    for access in accesses:
        exprs += access.places
        exprs += [length for length, may in zip(access.lengths, access.bounded, strict=True) if may]
    letters = {symbol for expr in exprs for symbol in expr.atoms(Count, Hyperparameter)}
    return tuple(
        Argument(symbol.spelling.python, COUNT if symbol.is_integer else NUMBER)
        for symbol in sorted(letters, key=lambda symbol: (not symbol.is_integer, str(symbol)))
    )


@dataclass(frozen=True)
class _Nest:
    """The loops of one contraction, and what is known before them, each as early as may be."""

    one: Contraction
    order: tuple[Symbol, ...]
    how: str
    scale: Symbol | None

    @property
    def inner(self) -> Symbol:
        """The counter of the innermost loop."""
        return self.order[-1]

    def body(self) -> tuple[Node, ...]:
        """All loops, the first counter's outermost."""
        early, found = self._innermost()
        for place in reversed(range(len(self.order) - 1)):
            counter = self.order[place]
            bounds, start, stop = self._bounds(counter)
            inside = _after(counter, early)
            found = (Loop(counter, start, stop, (*inside, *found)),)
            early = (*bounds, *(one for one in early if one not in inside))
        return (*early, *found)

    def _bounds(self, counter: Symbol) -> tuple[tuple[Whole, ...], Expr, Expr]:
        """How far a counter runs: as far as no place leaves its array that it settles."""
        low, high = self._limits(counter)
        length = self.one.box[counter]
        if not low:
            return (), S.Zero, length
        start, stop = local(f"{counter}_start"), local(f"{counter}_stop")
        nodes = (
            Whole(start, Max(S.Zero, *low, evaluate=False)),
            Whole(stop, Min(length, *high, evaluate=False)),
        )
        return nodes, start, stop

    def _limits(self, counter: Symbol) -> tuple[list[Expr], list[Expr]]:
        """The first and one more than the last value by each place that this counter settles."""
        low: list[Expr] = []
        high: list[Expr] = []
        for access in (self.one.target, *self.one.factors):
            for place, length, may in zip(
                access.places, access.lengths, access.bounded, strict=True
            ):
                if may and self._settles(counter, place):
                    first, after = _within(place, counter, length)
                    low.append(first)
                    high.append(after)
                elif may and counter == self.order[0] and not place.has(*self.order):
                    # one place for all: none is walked where it lies beyond the array
                    low.append(S.Zero)
                    high += [(place + 1) * self.one.box[counter]]
                    high += [(length - place) * self.one.box[counter]]
        return list(dict.fromkeys(low)), list(dict.fromkeys(high))

    def _settles(self, counter: Symbol, place: Expr) -> bool:
        """Whether a counter is the innermost that a place depends on."""
        later = self.order[self.order.index(counter) + 1 :]
        return place.has(counter) and not place.has(*later)

    # the innermost loop

    def _innermost(self) -> tuple[tuple[Whole, ...], tuple[Node, ...]]:
        bounds, start, stop = self._bounds(self.inner)
        rows: list[Node] = []
        names: dict[Access, Expr] = {}
        for access in (*self.one.factors, self.one.target):
            if access not in names:
                names[access] = self._seen(access, start, rows, names)
        value = self._value(names)
        target, counter = names[self.one.target], self.inner
        length = stop
        if bounds:
            length = local(f"{counter}_count")
            bounds = (*bounds, Whole(length, Max(S.Zero, stop - start, evaluate=False)))
        if any(place.has(counter) for place in self.one.target.places):
            step = Assign(target, value, augment=self.how, note=self.one.note)
            return bounds, (*rows, Loop(counter, S.Zero, length, (step,)))
        part = local("part")
        return bounds, (
            *rows,
            Assign(part, S.Zero, wide=True),
            Loop(counter, S.Zero, length, (Assign(part, value, augment="+", note=self.one.note),)),
            Assign(target, part, augment=self.how),
        )

    def _value(self, names: Mapping[Access, Expr]) -> Expr:
        parts = [names[access] for access in self.one.factors]
        if self.scale is not None:
            parts.insert(0, self.scale)
        value = parts[0] if len(parts) == 1 else Mul(*parts, evaluate=False)
        negative = self.scale is None and self.one.number == -1
        return Mul(S.NegativeOne, value, evaluate=False) if negative else value

    def _seen(
        self, access: Access, start: Expr, rows: list[Node], names: Mapping[Access, Expr]
    ) -> Expr:
        """An entry as the innermost loop reads it, with what has to be known before the loop."""
        counter = self.inner
        along = [place for place in access.places if place.has(counter)]
        number = sum(one.array == access.array for one in names)
        suffix = f"_{number + 1}" if number else ""
        if not along:
            entry = element(access.array, *access.places)
            if access == self.one.target:
                return entry
            value = local(f"{access.array}_entry{suffix}")
            rows.append(Assign(value, entry))
            return value
        *before, last = access.places
        if len(along) == 1 and last.has(counter):
            step = expand(last).diff(counter)
            name = f"{access.array}_row{suffix}"
            first = expand(last.xreplace({counter: start}))
            rows.append(Row(name, access.array, tuple(before), first, step))
            return element(name, counter)
        shifted = {counter: counter + start}
        return element(access.array, *(expand(place.xreplace(shifted)) for place in access.places))


def _after(counter: Symbol, several: tuple[Whole, ...]) -> tuple[Whole, ...]:
    """Those of several numbers that depend on a counter, also by way of one another."""
    known, found = {counter}, []
    for one in several:
        if one.value.free_symbols & known:
            known.add(one.target)
            found.append(one)
    return tuple(found)


def _within(place: Expr, counter: Symbol, length: Expr) -> tuple[Expr, Expr]:
    """The first counter for which 0 ≤ place < length, and the one after the last."""
    grows = expand(place).diff(counter)
    rest = expand(place - grows * counter)
    if grows.is_positive:
        return _up(-rest, grows), _down(length - 1 - rest, grows) + 1
    return _up(rest - length + 1, -grows), _down(rest, -grows) + 1


def _down(above: Expr, below: Expr) -> Expr:
    """⌊above/below⌋."""
    return expand(above) if below == 1 else floor(expand(above) / below, evaluate=False)


def _up(above: Expr, below: Expr) -> Expr:
    """⌈above/below⌉."""
    return -_down(-above, below)


def loop_order(one: Contraction, output: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """The counters from the outermost loop to the innermost.

    The innermost runs along memory in as many arrays as may be, and counts in other axes of as few;
    of several the output's last. Before it come the target's, then those that are summed over.
    """
    inner = innermost(one, output)
    targets = one.target.counters(one.box)
    others = [*targets, *(counter for counter in one.box if counter not in targets)]
    return (*(counter for counter in others if counter != inner), inner)


def innermost(one: Contraction, output: tuple[Symbol, ...]) -> Symbol:
    """The counter along which memory is read best."""
    accesses = (one.target, *one.factors)

    def along(counter: Symbol) -> tuple[int, int, int]:
        score = 0
        for access in accesses:
            for axis, place in enumerate(access.places):
                if place.has(counter):
                    score += 1 if axis == len(access.places) - 1 else -1
        return score, int(counter in output[-1:]), list(one.box).index(counter)

    return max(one.box, key=along)
