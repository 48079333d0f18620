"""A script in place of uv, and the messages of a step."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from nnconform.conformance.environments import environments, interpreters, subprocesses

FAKE_UV = '''\
#!{python} -IS
"""Act as uv would, as NNCONFORM_FAKE_UV says, without a network. Every call is noted next to this file."""
import json, os, pathlib, subprocess, sys, time
words, behaviour = sys.argv[1:], os.environ.get("NNCONFORM_FAKE_UV", "works")
here = pathlib.Path(__file__).parent
what = next(w for w in words if w in ("compile", "venv", "install", "--version", "find"))
output = pathlib.Path(words[words.index("--output-file") + 1]) if what == "compile" else None
with open(here / "calls", "a") as calls:
    variables = {{k: v for k, v in os.environ.items() if k.startswith("UV_")}}
    preferences = output.read_text() if output and output.exists() else ""
    call = {{"what": what, "words": words, "variables": variables, "preferences": preferences}}
    calls.write(json.dumps(call) + "\\n")
if behaviour == what + " fails":
    sys.exit("no such thing, said the fake uv")
if behaviour == "unreachable" or (behaviour == "offline" and "--offline" not in words):
    sys.exit("error: Failed to fetch\\n  cause: error sending request for url")
if what == "--version":
    print("uv 0.13.9")
elif what == "compile":
    lock = ""
    for line in open(words[-1]):
        name, _, version = line.strip().replace("_", "-").partition("==")
        file = "{{ upload-time = 2025-06-07T14:51:53Z }}"
        lock += f'[[packages]]\\nname = "{{name}}"\\nwheels = [{{file}}]\\n'
        lock += f'version = "{{version or 1.0}}"\\n' if behaviour != "no versions" else ""
    output.write_text(lock)
elif what == "venv":
    base, folder = words[-2:]
    python = pathlib.Path(folder, "bin", "python")
    python.parent.mkdir(parents=True)
    python.symlink_to(os.path.realpath(base))
    pathlib.Path(folder, "pyvenv.cfg").write_text(
        f"home = {{os.path.dirname(os.path.realpath(base))}}\\ninclude-system-site-packages = false\\n"
    )
elif what == "install":
    python = pathlib.Path(words[words.index("--python") + 1])
    if behaviour == "waits with a child":
        subprocess.Popen(["sh", "-c", f"trap '' INT; echo $$ > {{here}}/child; sleep 300"])
    while behaviour.startswith("waits") and not (here / "go").exists():
        (here / "waiting").touch()
        time.sleep(0.02)
    pins = [word.split("==") for word in words if "==" in word]
    for name, version in pins if behaviour != "elsewhere" else ():
        site = f"lib/python{{sys.version_info[0]}}.{{sys.version_info[1]}}/site-packages"
        info = python.parent.parent / site / f"{{name.replace('-', '_')}}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n")
elif what == "find":
    sys.exit("No interpreter found")
'''


class FakeUv:
    """A script in place of uv, and the calls of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "uv"
        self.path.write_text(FAKE_UV.format(python=sys.executable))
        self.path.chmod(0o755)

    def calls(self, what: str) -> list[dict]:
        calls = self.folder / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else ()
        return [call for call in map(json.loads, lines) if call["what"] == what]


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "fake").mkdir()
    uv = FakeUv(tmp_path / "fake")
    for module in (subprocesses, interpreters):
        monkeypatch.setattr(module, "find_uv", lambda: str(uv.path))
    yield uv
    environments._IN_USE.close()


@pytest.fixture
def messages():
    return []
