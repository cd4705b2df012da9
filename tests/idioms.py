"""What a piece of code takes of Python, NumPy and torch, beyond lists, functions and loops."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

import numpy as np
import torch
from IPython.core.inputtransformer2 import TransformerManager

# Whoever knows lists, functions and loops knows these.
KNOWN = {
    "abs",
    "float",
    "int",
    "len",
    "list",
    "max",
    "min",
    "print",
    "range",
    "round",
    "str",
    "sum",
}
MODULES = {"np", "torch", "nn", "math"}
OWNERS = (np.ndarray, np.random.Generator, torch.Tensor, torch.Generator, torch.nn.Module)
METHODS = {name for owner in OWNERS for name in dir(owner) if not name.startswith("_")}
SYNTAX = {
    ast.ListComp: "list comprehension",
    ast.DictComp: "dictionary comprehension",
    ast.SetComp: "set comprehension",
    ast.GeneratorExp: "generator expression",
    ast.JoinedStr: "f-string",
    ast.Dict: "dictionary",
    ast.Starred: "* before an argument",
    ast.Assert: "assert",
    ast.ClassDef: "class",
    ast.Lambda: "lambda",
    ast.IfExp: "if in an expression",
    ast.With: "with",
    ast.MatMult: "@",
    ast.Pow: "**",
    ast.Mod: "%",
    ast.FloorDiv: "//",
    ast.Invert: "~",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.Yield: "yield",
    ast.Try: "try",
}


def idioms(code: str) -> set[str]:
    """The idioms of a cell.

    Raises:
        SyntaxError: it is no code.
    """
    tree = ast.parse(TransformerManager().transform_cell(code))
    return {name for node in ast.walk(tree) for name in _of(node)}


def _of(node: ast.AST) -> Iterator[str]:
    if type(node) in SYNTAX:
        yield SYNTAX[type(node)]
    if isinstance(node, ast.Attribute) and (_is_library(node) or node.attr in METHODS):
        yield node.attr
    if isinstance(node, ast.Call):
        yield from _of_call(node)
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        yield "chained comparison"
    if isinstance(node, ast.Assign | ast.For | ast.comprehension):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Tuple) for target in targets):
            yield "unpacking"
    if isinstance(node, ast.FunctionDef) and node.args.defaults:
        yield "default value"
    if isinstance(node, ast.Subscript):
        yield from _cut(node.slice)


def _of_call(call: ast.Call) -> Iterator[str]:
    """A built-in function, or what a library's function is told by name."""
    function = call.func
    if isinstance(function, ast.Name) and hasattr(builtins, function.id):
        yield from {function.id} - KNOWN
    if isinstance(function, ast.Attribute):
        said = [getattr(owner, function.attr, None).__doc__ or "" for owner in OWNERS]
        for word in call.keywords:
            told = any(re.search(rf"\b{word.arg}\b", text) for text in said)
            if word.arg and (told or _is_library(function)):
                yield f"{word.arg}="


def _is_library(node: ast.Attribute) -> bool:
    """Whether it is a name of a library's module, such as ``exp`` in ``np.exp``."""
    root = node.value
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id in MODULES


def _cut(index: ast.expr) -> Iterator[str]:
    """How a subscript cuts."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    if len(parts) > 1:
        yield "a place in several axes, x[0, 1]"
    for part in parts:
        if isinstance(part, ast.Slice):
            yield "slice with a step" if part.step else "slice"
        elif isinstance(part, ast.List):
            yield "a list of places, x[[1, 0]]"
        elif isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub):
            yield "counting from the end, x[-1]"
        elif isinstance(part, ast.Constant) and part.value is None:
            yield "a new axis, x[:, None]"
        elif isinstance(part, ast.Constant) and part.value is Ellipsis:
            yield "the axes between, x[..., 0]"


# What stands in backticks in the prose is often a part of a line only.
_WHOLE = ("{}", "_{}", "_[{}]", "_({})", "{}\n    ...", "{}:\n    ...")


def introduced(prose: str) -> set[str]:
    """The idioms that stand in backticks in the prose, where it says what they are."""
    found = set()
    for span in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", prose, flags=re.S)):
        found |= set(re.findall(r"[A-Za-z_]\w*=?", span)) | {span}
        for whole in _WHOLE:
            try:
                found |= idioms(whole.format(span))
            except SyntaxError:
                continue
    return found
