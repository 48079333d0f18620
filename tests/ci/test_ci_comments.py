"""The comment on a pull request and the note on a merge request: posted once, and then updated."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "examples" / "ci"
GITHUB = yaml.safe_load((EXAMPLES / "github-upgrade.yml").read_text())
POST = next(step for step in GITHUB["jobs"]["comment"]["steps"] if "run" in step)
NOTE = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())["nnconform-note"]
# A substitute for GitHub's command line, which prints ids of comments and records the changes.
GH = """
case "$*" in
  *--paginate*) printf '%s' "$IDS" ;;
  *) echo "$@" >> "$RUNNER_TEMP/requests" ;;
esac
"""


def run(script: str, folder: Path, variables: Mapping[str, str]) -> None:
    """Run a script as CI does, in a folder and with variables."""
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    subprocess.run(words, cwd=folder, env=os.environ | variables, check=True)


@pytest.mark.parametrize(
    ("ids", "requests"),
    [
        ("", "api --method POST repos/o/r/issues/7/comments --field body=@nnconform.md --silent\n"),
        ("12\n13\n", "api --method PATCH repos/o/r/issues/comments/12 --field body=@nnconform.md --silent\n"),
    ],
    ids=["the first time", "later"],
)
def test_the_comment_is_posted_once_and_then_updated(tmp_path, ids, requests):
    (tmp_path / "gh").write_text(f"#!/usr/bin/env bash\n{GH}")
    (tmp_path / "gh").chmod(0o755)
    comments = {"COMMENTS": "repos/o/r/issues/7/comments", "COMMENT": "repos/o/r/issues/comments"}
    assert comments.keys() | {"GH_TOKEN"} == POST["env"].keys()
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    run(POST["run"], tmp_path, comments | {"IDS": ids, "RUNNER_TEMP": str(tmp_path), "PATH": path})
    assert (tmp_path / "requests").read_text() == requests


class GitLab(BaseHTTPRequestHandler):
    """A server like GitLab's API: it has a user and two pages of notes, and records new ones."""

    notes: list[dict[str, Any]]
    requests: list[tuple[str, str, str, str]]

    def do_GET(self) -> None:
        if self.path.endswith("/user"):
            self.answer({"id": 5})
        else:
            page = int(re.findall(r"&page=(\d+)", self.path)[0])
            self.answer(self.notes[page - 1 : page])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.requests.append((self.command, self.path, self.headers["PRIVATE-TOKEN"], body))
        self.answer({})

    def do_PUT(self) -> None:
        self.do_POST()

    def answer(self, document: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture
def gitlab() -> Iterator[Callable[[list[dict[str, Any]]], tuple[type[GitLab], str]]]:
    servers: list[HTTPServer] = []

    def serve(notes: list[dict[str, Any]]) -> tuple[type[GitLab], str]:
        handler = type("Handler", (GitLab,), {"notes": notes, "requests": []})
        servers.append(HTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return handler, f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


OTHERS = [
    {"id": 8, "author": {"id": 1}, "body": "<!-- nnconform -->\nquoted by somebody"},
    {"id": 9, "author": {"id": 5}, "body": "of another job"},
]


@pytest.mark.parametrize(
    ("notes", "method", "path"),
    [
        (OTHERS, "POST", "/projects/3/merge_requests/4/notes"),
        (
            [*OTHERS, {"id": 10, "author": {"id": 5}, "body": "<!-- nnconform -->\nold"}],
            "PUT",
            "/projects/3/merge_requests/4/notes/10",
        ),
    ],
    ids=["the first time", "later"],
)
def test_the_note_is_posted_once_and_then_updated(tmp_path, gitlab, notes, method, path):
    handler, address = gitlab(notes)
    (tmp_path / "nnconform.md").write_text("<!-- nnconform -->\nnew ±")
    variables = {"CI_MERGE_REQUEST_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "4", "NNCONFORM_TOKEN": "secret"}
    (script,) = NOTE["script"]
    run(script, tmp_path, variables | {"CI_API_V4_URL": address, "no_proxy": "127.0.0.1"})
    assert handler.requests == [(method, path, "secret", "<!-- nnconform -->\nnew ±")]
