"""The commands behind ``make``: ``python -m booksite <command>``."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path

from .book import EDITIONS, Book, BookError

_NOT_WRITTEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code says whether it went well."""
    options = _parser().parse_args(arguments)
    try:
        options.run(Book(options.root.resolve()), options)
    except BookError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was finished is kept.", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno not in _NOT_WRITTEN:
            raise
        print(
            f"\n{error.filename or 'A file'}: {error.strerror}. Can this folder be written to, and"
            " is there room on the disk?",
            file=sys.stderr,
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="booksite", description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the book's folder (default: this one)"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    command = commands.add_parser("build", help="execute what changed and build both editions")
    command.set_defaults(run=_build)

    command = commands.add_parser("serve", help="serve the built site to this machine")
    command.add_argument("--port", type=int, help="default: the first free one from 8000")
    command.set_defaults(run=_serve)

    command = commands.add_parser("execute", help="execute the notebooks that changed")
    command.add_argument("pages", nargs="*", help="pages by name (default: all)")
    command.add_argument("--edition", choices=EDITIONS, help="only this edition (default: both)")
    command.set_defaults(run=_execute)

    command = commands.add_parser("check", help="say what keeps the editions from being built")
    command.set_defaults(run=_check)

    command = commands.add_parser(
        "sync", help="put notebooks in order; copy code from English by cell id"
    )
    command.set_defaults(run=_sync)

    command = commands.add_parser("new", help="make the skeleton of a lesson or of a lab")
    command.add_argument("number", help="in the article: 5-1; of a lab, 5-1-lab or 5-1-lab-roles")
    command.add_argument("name", help="of the lesson: longformer")
    command.add_argument("--claim", default="C1", help="the claim on trial (default: C1)")
    command.set_defaults(run=_new)

    command = commands.add_parser("times", help="say how long notebooks and tests took")
    command.set_defaults(run=_times)

    command = commands.add_parser("stamp", help="write the notebooks as they are published")
    command.add_argument("--repository", required=True, help="owner/name of the published copy")
    command.add_argument("--output", type=Path, required=True, help="the folder to write into")
    command.set_defaults(run=_stamp)
    return parser


def _build(book: Book, _: argparse.Namespace) -> None:
    from .build import build

    build(book)


def _serve(book: Book, options: argparse.Namespace) -> None:
    from .serve import serve

    serve(book, options.port)


def _execute(book: Book, options: argparse.Namespace) -> None:
    from . import editions, execution

    chosen = [options.edition] if options.edition else EDITIONS
    unknown = set(options.pages) - set(book.pages())
    if unknown:
        raise BookError(f"pages: got {', '.join(sorted(unknown))}, expected pages of _toc.yml")
    editions.check(book, chosen, options.pages or None)
    execution.execute(book, chosen, options.pages or None)


def _check(book: Book, _: argparse.Namespace) -> None:
    from . import editions

    editions.check(book)
    print("The editions agree, and all notebooks are in order.")


def _sync(book: Book, _: argparse.Namespace) -> None:
    from . import editions

    print("\n".join(editions.sync(book)) or "All notebooks are in order already.")


def _new(book: Book, options: argparse.Namespace) -> None:
    from .new import new

    for path in new(book, options.number, options.name, options.claim):
        print(book.shown(path))
    print("\nWhat is to be written says TODO. Look at it with `make book`.")


def _times(book: Book, _: argparse.Namespace) -> None:
    from . import reports

    print(reports.write(book))


def _stamp(book: Book, options: argparse.Namespace) -> None:
    from . import identity

    for path in identity.stamp(book, options.repository, options.output):
        print(path)


if __name__ == "__main__":
    sys.exit(main())
