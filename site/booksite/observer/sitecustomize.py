"""Writes down what a run of a notebook reads of the package, while it reads it.

Python imports a module of this name whenever it starts, so the kernel has it before its first cell,
and so has every process that a notebook starts. Where to write, and what the package's folder is,
stand in the environment; without them nothing happens.

What native code opens by itself (``safetensors.torch.load_file``) Python does not see: the package
opens its files with Python and hands on the bytes.
"""

import json
import os
import sys

_WRITING = os.O_WRONLY | os.O_RDWR


def _observe(log: str, package: str) -> None:
    """Append a line to ``log`` for each file below ``package`` and each key of words, once."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    folder = package + os.sep
    seen = set()

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITING or not isinstance(path, (str, bytes, os.PathLike)):
                return
            path = os.path.abspath(os.fsdecode(path))
            if not path.startswith(folder):
                return
            line = ("file", path[len(folder) :].replace(os.sep, "/"))
        elif event == "attention_course.words":
            line = ("words", *arguments)
        else:
            return
        if line not in seen:
            seen.add(line)
            os.write(descriptor, f"{json.dumps(line)}\n".encode())  # whole lines, from any process

    sys.addaudithook(hook)


if "BOOK_RECORD" in os.environ:
    _observe(os.environ["BOOK_RECORD"], os.environ["BOOK_PACKAGE"])
