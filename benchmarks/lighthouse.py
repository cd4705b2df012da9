"""Lighthouse's scores of every page of the built site, as on a phone: the median of some runs.

Lighthouse comes from npm by the lock file beside this one, fetched when it is needed. The pages are
served compressed to a headless Chromium on this machine, and nothing leaves it. Performance is only
worth its name on a machine that does nothing else.

    python benchmarks/lighthouse.py [--runs 3] [page ...]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from booksite import assets
from booksite.book import Book, BookError

FOLDER = Path(__file__).parent / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
HEADS = ("page", "performance", "accessibility", "best practices", "SEO")
GOAL = (90, 100, 100, 100)
TEXT = {".html", ".css", ".js", ".svg", ".json"}


class Compressed(SimpleHTTPRequestHandler):
    """Serves files as a host of static sites does: compressed, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return self.send_error(404)
        content = path.read_bytes()
        self.send_response(200)
        if path.suffix in TEXT:
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(content)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Compressed, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def scores(address: str, browser: str) -> list[float]:
    """Lighthouse's four scores of a page, out of 100.

    Raises:
        SystemExit: Lighthouse says why it could not tell.
    """
    flags = "--headless=new" + (" --no-sandbox" if os.geteuid() == 0 else "")
    command = [
        *(assets.node(), FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js", address),
        *("--output=json", "--quiet", f"--chrome-flags={flags}"),
        f"--only-categories={','.join(CATEGORIES)}",
    ]
    run = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"CHROME_PATH": browser}
    )
    if run.returncode:
        raise SystemExit(f"{address}: {run.stderr.strip()}")
    found = json.loads(run.stdout)["categories"]
    return [100 * found[name]["score"] for name in CATEGORIES]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="as en/2-1-human-attention (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    options = parser.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    html = Book(Path(__file__).parents[1]).output / "html"
    if browser is None:
        raise SystemExit("no browser: install Chromium, or say where it is in CHROMIUM")
    if not (html / "index.html").exists():
        raise SystemExit("there is no built site: run `make site` first")
    try:
        assets.install(FOLDER)
    except BookError as error:
        raise SystemExit(str(error)) from None
    every = sorted(
        path.relative_to(html).with_suffix("").as_posix() for path in html.rglob("*.html")
    )
    below = 0
    print("".join(f"{head:<34}" if not i else f"{head:>16}" for i, head in enumerate(HEADS)))
    with serving(html) as address:
        for page in options.pages or every:
            runs = [scores(f"{address}/{page}.html", browser) for _ in range(options.runs)]
            found = [statistics.median(each) for each in zip(*runs, strict=True)]
            below += any(score < goal for score, goal in zip(found, GOAL, strict=True))
            print(f"{page:<34}" + "".join(f"{score:>16.0f}" for score in found), flush=True)
    print(f"{below} pages below {' / '.join(map(str, GOAL))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
