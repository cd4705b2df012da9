"""Serves the built site to this machine only."""

from __future__ import annotations

import errno
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .book import Book, BookError

PORT = 8000
_TRIES = 50  # free ports to look for after the usual one


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the address printed at the start stays in sight."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a rebuilt page shows at once
        super().end_headers()

    def copyfile(self, source: object, outputfile: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the reader has gone elsewhere
            super().copyfile(source, outputfile)


def serve(book: Book, port: int | None = None) -> None:
    """Serve the site at a loopback address until Ctrl-C.

    Args:
        book: the book whose built site to serve.
        port: the port to use, or ``None`` for the usual one or the next that is free.

    Raises:
        BookError: there is no built site, or ``port`` was asked for and is in use.
    """
    if port is not None and not 0 < port < 65536:
        raise BookError(f"Port: got {port}, expected a number from 1 to 65535.")
    folder = book.output / "html"
    if not (folder / "index.html").exists():
        raise BookError("There is no built site yet: run `make site` first.")
    with server(folder, port) as running:
        print(
            f"\nThe book is at http://127.0.0.1:{running.server_port}/ (Ctrl-C stops)", flush=True
        )
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print("\nStopped.")


def server(folder: Path, port: int | None) -> ThreadingHTTPServer:
    """A server bound to ``port``, or to the first free one from :data:`PORT` on."""
    handler = partial(_Quiet, directory=str(folder))
    for candidate in [port] if port is not None else range(PORT, PORT + _TRIES):
        try:
            return ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            why = "in use" if error.errno == errno.EADDRINUSE else "not for ordinary programs"
            if port is not None:
                raise BookError(
                    f"Port {port} is {why}: choose another one, for example"
                    f" `make book PORT={PORT + 1 if port == PORT else PORT}`, or leave PORT out."
                ) from None
            if candidate == PORT:
                print(f"Port {PORT} is {why}; looking for a free one.", flush=True)
    raise BookError(f"None of the ports {PORT} to {PORT + _TRIES - 1} is free: set PORT.")
