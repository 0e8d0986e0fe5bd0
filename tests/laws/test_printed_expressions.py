"""What is printed means what was written: no bracket lost, no order changed, in any rendering."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Integer, Mul, Pow, Rational, Symbol

from symopt.printing.latex import latex
from symopt.printing.unicode import unicode
from symopt.spelling import SUPERSCRIPTS
from symopt.targets.python_code import KernelPrinter, number_code

X, Y, Z = (Symbol(name, real=True) for name in "xyz")
VALUES = {X: Fraction(3, 7), Y: Fraction(-5, 2), Z: Fraction(11, 3)}
LEAVES = st.one_of(
    st.sampled_from([X, Y, Z]),
    st.sampled_from([Integer(1), Integer(2), Integer(-3), Rational(2, 5), Rational(-1, 3)]),
)


def joined(parts):
    """Sums, differences, products, quotients and powers, as an author's operators build them."""
    return st.one_of(
        st.tuples(parts, parts).map(lambda ab: Add(*ab, evaluate=False)),
        st.tuples(parts, parts).map(lambda ab: Add(ab[0], negative(ab[1]), evaluate=False)),
        st.tuples(parts, parts).map(lambda ab: Mul(*ab, evaluate=False)),
        st.tuples(parts, parts).map(lambda ab: Mul(ab[0], inverse(ab[1]), evaluate=False)),
        st.tuples(parts, parts, parts).map(lambda abc: Mul(*abc, evaluate=False)),
        st.tuples(parts, st.sampled_from([2, 3, 5, -1, -2])).map(
            lambda ab: Pow(ab[0], ab[1], evaluate=False)
        ),
        parts.map(negative),
    )


def negative(expr):
    return Mul(-1, expr, evaluate=False)


def inverse(expr):
    return Pow(expr, -1, evaluate=False)


EXPRESSIONS = st.recursive(LEAVES, joined, max_leaves=8)


def value(expr) -> Fraction:
    """The expression in exact fractions, by its own structure; ZeroDivisionError where none is."""
    if isinstance(expr, Add):
        return sum((value(part) for part in expr.args), Fraction(0))
    if isinstance(expr, Mul):
        product = Fraction(1)
        for part in expr.args:
            product *= value(part)
        return product
    if isinstance(expr, Pow):
        return value(expr.args[0]) ** int(expr.args[1])
    return VALUES[expr] if expr in VALUES else Fraction(expr.p, expr.q)


def exact(text):
    """Python text with every literal an exact fraction."""
    import ast

    class Exact(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.Call(ast.Name("F", ast.Load()), [ast.Constant(str(node.value))], [])

        def visit_BinOp(self, node):
            power = isinstance(node.op, ast.Pow)
            node.left = self.visit(node.left)
            node.right = _whole(node.right) if power else self.visit(node.right)
            return node

    def _whole(node):
        return ast.Constant(int(float(ast.unparse(node))))

    tree = ast.fix_missing_locations(Exact().visit(ast.parse(text, mode="eval")))
    names = {str(symbol): number for symbol, number in VALUES.items()}
    return eval(compile(tree, "<printed>", "eval"), {"F": Fraction, "one": Fraction(1), **names})


def from_unicode(text):
    """Unicode as Python: the signs are replaced one for one, brackets stay as they are."""
    raised = {
        sign: digit for digit, sign in SUPERSCRIPTS.items() if digit.isdigit() or digit == "-"
    }
    shown, inside = "", False
    for character in text:
        if character in raised:
            shown += ("" if inside else "**(") + raised[character]
            inside = True
        else:
            shown += (")" if inside else "") + {"·": "*", "−": "-", "^": "**"}.get(
                character, character
            )
            inside = False
    return shown + (")" if inside else "")


def from_latex(text):
    r"""LaTeX as Python: \frac{a}{b}, a b, x^2 and brackets, read by a small parser of its own."""
    tokens = _latex_tokens(text)
    found, rest = _latex_sum(tokens)
    assert rest == []
    return found


def _latex_tokens(text):
    import re

    return re.findall(r"\\[a-z]+|\d+|[^\s]", text)


def _latex_sum(tokens):
    sign = "-" if tokens[0] == "-" else ""
    text, tokens = _latex_product(tokens[1:] if sign else tokens)
    text = sign + text
    while tokens and tokens[0] in "+-":
        operator = tokens[0]
        term, tokens = _latex_product(tokens[1:])
        text += f" {operator} {term}"
    return f"({text})", tokens


def _latex_product(tokens):
    text, tokens = _latex_power(tokens)
    while tokens and tokens[0] not in ("+", "-", ")", "}"):
        if tokens[0] == r"\cdot":
            tokens = tokens[1:]
        factor, tokens = _latex_power(tokens)
        text += f" * {factor}"
    return text, tokens


def _latex_power(tokens):
    base, tokens = _latex_atom(tokens)
    if tokens and tokens[0] == "^":
        exponent, tokens = _latex_atom(tokens[1:])
        base = f"{base} ** {exponent}"
    return base, tokens


def _latex_atom(tokens):
    head, *tokens = tokens
    if head == r"\frac":
        above, tokens = _latex_atom(tokens)
        below, tokens = _latex_atom(tokens)
        return f"({above} / {below})", tokens
    if head in "({":
        inner, tokens = _latex_sum(tokens)
        return inner, tokens[1:]
    return head, tokens


READERS = {
    "numbers in Python": lambda expr: exact(number_code(expr)),
    "elements in Python": lambda expr: exact(KernelPrinter(elementwise=True).doprint(expr)),
    "Unicode": lambda expr: exact(from_unicode(unicode(expr))),
    "LaTeX": lambda expr: exact(from_latex(latex(expr))),
}


@pytest.mark.parametrize("rendering", READERS)
@settings(max_examples=400, deadline=None, derandomize=True)
@given(expr=EXPRESSIONS)
def test_a_printed_expression_has_the_value_of_the_written_one(rendering, expr):
    try:
        wanted = value(expr)
    except ZeroDivisionError:
        return
    assert READERS[rendering](expr) == wanted
