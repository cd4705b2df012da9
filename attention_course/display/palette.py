"""The colours that mean something in the book's figures, cards and explorables.

Each stands out (3 : 1 at least) from a white page and from a dark one, so that one drawing serves
both. The style sheets know them as ``--ac-blue`` and so on.
"""

BLUE = "#3b82c4"
ORANGE = "#d9731a"
GREEN = "#2e9e6b"
PURPLE = "#9a6dd7"
PINK = "#d0559a"
COLORS = [BLUE, ORANGE, GREEN, PURPLE, PINK]


def css() -> str:
    """The colours as custom properties of everything that the book shows."""
    names = ("blue", "orange", "green", "purple", "pink")
    rules = ";".join(f"--ac-{name}:{color}" for name, color in zip(names, COLORS, strict=True))
    return f".ac{{{rules}}}\n"
