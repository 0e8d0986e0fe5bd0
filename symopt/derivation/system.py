"""What a declaration amounts to once all is derived: variables with roles, and assignments."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from symopt.declaration import Declaration
from symopt.derivation.steps import Derivation
from symopt.notation import Count, Hyperparameter, Index, Sequence

PARAMETER, STATE, TEMPORARY, INPUT = "parameter", "state", "temporary", "input"


@dataclass(frozen=True)
class Variable:
    """A sequence with the role that its use in the equations gives it.

    ``offset`` is the shift at which its equation defines it: 0 for ``v[t] = …``, 1 for
    ``theta[t + 1] = …``. A ``scalar`` depends on no data, only on hyperparameters and the step.
    ``examples`` is the count of gradients in a batch for an input that has one for each example.
    """

    sequence: Sequence
    role: str
    offset: int = 0
    scalar: bool = False
    initial: Expr | None = None
    examples: Count | None = None

    @property
    def name(self) -> str:
        """The Python name."""
        name: str = self.sequence.spelling.python
        return name


@dataclass(frozen=True)
class Assignment:
    """One equation in computable form: its id, the entry it defines, and from what."""

    id: str
    left: Expr
    right: Expr

    @property
    def target(self) -> Sequence:
        """The sequence that is assigned."""
        target: Sequence = self.left.base
        return target


@dataclass(frozen=True)
class Dynamics:
    """Equations from step to step with nothing left to derive.

    ``assignments`` stand in an order in which each reads only what is known.
    """

    declared: Declaration
    step: Index
    variables: tuple[Variable, ...]
    assignments: tuple[Assignment, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    derivations: tuple[Derivation, ...]

    def of_role(self, *roles: str) -> tuple[Variable, ...]:
        """The variables with these roles, in the order in which the equations bring them up."""
        return tuple(one for one in self.variables if one.role in roles)

    def variable(self, sequence: Sequence) -> Variable:
        """The variable of a sequence."""
        return next(one for one in self.variables if one.sequence == sequence)

    @property
    def initial_hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """The hyperparameters on which the initial value of some state depends."""
        starts = [one.initial for one in self.of_role(STATE) if one.initial is not None]
        used = {symbol for start in starts for symbol in start.atoms(Hyperparameter)}
        return tuple(one for one in self.hyperparameters if one in used)

    @property
    def uses_step(self) -> bool:
        """Whether the step's number enters any assignment."""
        exprs = [one.right for one in self.assignments]
        return any(_reads_number(expr, self.step) for expr in exprs)


@dataclass(frozen=True)
class System(Dynamics):
    """An update rule with nothing left to derive.

    ``gradient_point`` says where the gradient is to be taken, if not at the parameters.
    """

    constants_in_time: frozenset[Hyperparameter]
    gradient_point: tuple[str, Expr] | None

    @property
    def parameter(self) -> Variable:
        """What is optimized."""
        return self.of_role(PARAMETER)[0]


def _reads_number(expr: Expr, step: Index) -> bool:
    if expr.is_Indexed:
        return False
    return expr == step or any(_reads_number(part, step) for part in expr.args)
