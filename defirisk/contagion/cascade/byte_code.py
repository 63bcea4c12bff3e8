"""Quote programs as byte code over one array of leaves, and its kernels. Slow twin: `core.quote`.

A program is postfix instructions of two numbers each, an operation and its argument. Products, sums
and medians take as many values as the argument says and work from left to right, as
`core.quote.evaluate` does in lanes (numpy adds nine or more numbers of a single scenario in another
order).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numpy import ceil, floor

from defirisk.core.book import Floats, Ints
from defirisk.core.evaluation import NEARLY, WHOLE

LEAF, PRODUCT, SUM, RATIO, MEDIAN, AT_MOST, AT_LEAST, ROOT, CUT = range(9)
NAN = float("nan")


class Code(NamedTuple):
    """Instructions of all programs, one after another; program p is `first[p]` to `first[p + 1]`.

    The argument of `LEAF`, `AT_MOST`, `AT_LEAST` and `CUT` is a place among the leaves.
    """

    operation: Ints  # (I,)
    argument: Ints  # (I,)
    first: Ints  # (P + 1,)


def evaluate(code: Code, program: int, leaves: Floats, stack: Floats) -> float:
    """Kernel. The value of a program; NaN where it is unknown, or has no value: a quotient by 0,
    the root of what is negative. `stack` has room for `Compiled.depth` values.
    """
    top = 0
    for at in range(code.first[program], code.first[program + 1]):
        operation, n = code.operation[at], code.argument[at]
        if operation == LEAF:
            stack[top] = leaves[n]
            top += 1
        elif operation == AT_MOST:
            if stack[top - 1] > leaves[n]:
                stack[top - 1] = leaves[n]
        elif operation == AT_LEAST:
            if stack[top - 1] < leaves[n]:
                stack[top - 1] = leaves[n]
        elif operation == CUT:
            stack[top - 1] = cut(stack[top - 1], leaves[n])
        else:
            top -= n
            stack[top] = combined(operation, stack, top, n)
            top += 1
    return float(stack[0])


def cut(value: float, scale: float) -> float:
    """Kernel. Down to a whole number of `scale`-ths: floats that are nearly one were rounded."""
    count = value * scale
    if not abs(count) < WHOLE:
        return value
    upper = ceil(count)
    if upper - count <= NEARLY * abs(count):
        return float(upper / scale)
    return float(floor(count) / scale)


def combined(operation: int, stack: Floats, first: int, count: int) -> float:
    """Kernel. What an operation makes of `count` values from `first` on, which it may reorder."""
    if operation == PRODUCT:
        value = 1.0
        for k in range(first, first + count):
            value *= stack[k]
        return value
    if operation == SUM:
        value = 0.0
        for k in range(first, first + count):
            value += stack[k]
        return value
    if operation == RATIO:
        if stack[first + 1] == 0.0:
            return NAN
        return float(stack[first] / stack[first + 1])
    if operation == ROOT:
        return NAN if stack[first] < 0.0 else math.sqrt(float(stack[first]))
    return middle(stack, first, count)


def middle(stack: Floats, first: int, count: int) -> float:
    """Kernel. The median; NaN where one value is, or there is none. Sorts them where they are."""
    if count == 0:
        return NAN
    for k in range(first, first + count):
        value = stack[k]
        if math.isnan(value):
            return NAN
        at = k
        while at > first and stack[at - 1] > value:
            stack[at] = stack[at - 1]
            at -= 1
        stack[at] = value
    upper = float(stack[first + count // 2])
    if count % 2 == 1:
        return upper
    return float((stack[first + count // 2 - 1] + upper) / 2.0)


KERNELS = (cut, middle, combined, evaluate)
