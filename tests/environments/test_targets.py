"""Words of the command line name packages, an interpreter or a requirements file."""

from __future__ import annotations

import pytest

from nnconform.conformance.environments import targets
from nnconform.conformance.environments.interpreters import Interpreter
from nnconform.conformance.environments.targets import parse
from nnconform.conformance.running.frameworks import UsageError


def packages(text: str) -> list[str]:
    return [str(requirement) for requirement in parse(text).packages]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch", ["torch"]),
        ("jax==0.9.2", ["jax==0.9.2"]),
        ("jax>=0.9,<0.10", ["jax<0.10,>=0.9"]),
        ("keras==3.12.0+tensorflow==2.20.0", ["keras==3.12.0", "tensorflow==2.20.0"]),
        ("keras+tensorflow==2.20.0", ["keras", "tensorflow==2.20.0"]),
        ("torch==2.13.0+cpu", ["torch==2.13.0+cpu"]),
        ("torch==2.13.0+cpu+numpy==2.0.0", ["torch==2.13.0+cpu", "numpy==2.0.0"]),
        ("jax==0.9.2+jaxlib==0.9.2+scipy==1.15.0", ["jax==0.9.2", "jaxlib==0.9.2", "scipy==1.15.0"]),
        ("python:/opt/x/bin/python", []),
        ("jax+python:/opt/a+b/bin/python", ["jax"]),
    ],
)
def test_a_word_names_packages_and_versions(text, expected):
    assert packages(text) == expected


def test_a_path_may_have_a_plus_sign():
    assert parse("jax+python:/opt/a+b/bin/python").interpreter == "/opt/a+b/bin/python"


@pytest.mark.parametrize(("text", "here"), [("torch", True), ("jax==0.9.2", False), ("python:/x", False)])
def test_a_name_alone_means_this_environment(text, here):
    assert parse(text).here is here


REQUIREMENTS = """# locked
-r other.txt
--index-url https://example.org/simple
absl-py==2.1.0
flax==0.12.8 \\
    --hash=sha256:0000
JAX[cpu]==0.10.2 ; python_version >= "3.9"  # accelerators
jaxlib==0.10.2
optax==0.2.8 ; sys_platform == "no-such-platform"
"""


def test_a_requirements_file_names_the_frameworks_that_apply(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(REQUIREMENTS)
    assert packages(f"requirements:{path}") == ["flax==0.12.8", "jax[cpu]==0.10.2", "jaxlib==0.10.2"]


def test_a_requirement_from_an_address_is_refused(tmp_path):
    (tmp_path / "r.txt").write_text("numpy==2.0\ntorch @ https://example.org/torch.whl\n")
    with pytest.raises(UsageError, match=r"torch \(line 2\) comes from an address"):
        parse(f"requirements:{tmp_path / 'r.txt'}")


@pytest.mark.parametrize(("python", "expected"), [("3.10", ["jax==0.6.2"]), ("3.12", ["jax==0.10.2"])])
def test_markers_apply_to_the_chosen_python(tmp_path, python, expected):
    path = tmp_path / "r.txt"
    path.write_text(
        'jax==0.6.2 ; python_version < "3.11"\njax==0.10.2 ; python_version >= "3.11"\n', encoding="utf-8-sig"
    )
    assert [str(r) for r in parse(f"requirements:{path}", python).packages] == expected


def test_markers_apply_to_the_interpreter_at_the_given_path(tmp_path, monkeypatch):
    path = tmp_path / "r.txt"
    path.write_text('jax==0.6.2 ; python_full_version < "3.10.5"\njax==0.10.2 ; python_version >= "3.11"\n')
    monkeypatch.setattr(targets, "find_interpreter", lambda path: Interpreter(path, "3.10.4", ""))
    assert [str(r) for r in parse(f"requirements:{path}", "/opt/bin/python").packages] == ["jax==0.6.2"]


def test_ignored_lines_of_a_requirements_file_are_reported_without_passwords(tmp_path):
    path, messages = tmp_path / "r.txt", []
    path.write_text(
        "-r other.txt\n\nabsl-py \\\n  --hash=sha256:0\n-i https://me:secret@example.org/\njax==0.9.2 # x\n./w.whl\n"
    )
    target = parse(f"requirements:{path}", notify=messages.append)
    assert [str(r) for r in target.packages] == ["jax==0.9.2"]
    assert messages == [
        f"requirements:{path}: line {line} is ignored: {what}"
        for line, what in ((1, "-r other.txt"), (5, "-i https://example.org/"), (7, "./w.whl"))
    ]


def test_a_backslash_does_not_continue_a_comment_and_options_of_a_requirement_are_ignored(tmp_path):
    path = tmp_path / "r.txt"
    path.write_text("# the newest \\\ntorch==2.13.0 --config-settings a=b\n")
    assert packages(f"requirements:{path}") == ["torch==2.13.0"]
