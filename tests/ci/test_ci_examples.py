"""The GitHub action and the examples for CI: they are accepted, and do what they promise."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from nnconform.conformance.commands.cli import cli

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "ci"
LIARS = ROOT / "tests" / "liars"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
GITHUB = {path.name: yaml.safe_load(path.read_text()) for path in sorted(EXAMPLES.glob("github-*.yml"))}
GITLAB = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())


def github_steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, workflow in GITHUB.items():
        for job in workflow["jobs"].values():
            yield from ((name, step) for step in job["steps"])


STEPS = [("action.yml", step) for step in ACTION["runs"]["steps"]] + list(github_steps())
GITLAB_LINES = [
    line
    for name, job in GITLAB.items()
    for line in (*GITLAB[".nnconform"]["before_script"], *job.get("script", ()))
    if name != ".nnconform"
]
SCRIPTS = [step["run"] for _, step in STEPS if "run" in step] + GITLAB_LINES


def accept(words: list[str]) -> None:
    """Parse a command line as the real command does, without running it."""
    name, *arguments = words
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_context(name, arguments, resilient_parsing=False)


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_every_script_is_well_formed(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(("name", "step"), STEPS, ids=range(len(STEPS)))
def test_no_script_contains_an_expression_whose_value_would_be_run(name, step):
    assert "${{" not in step.get("run", ""), name


def test_every_action_is_githubs_or_ours_at_a_major_version():
    used = {step["uses"] for _, step in STEPS if "uses" in step}
    assert all(re.fullmatch(r"(actions|OWNER)/[a-z/-]+@v\d+", name) for name in used)
    assert "OWNER/nnconform@v1" in used


def ours() -> Iterator[dict[str, Any]]:
    return (step for _, step in github_steps() if step.get("uses", "").startswith("OWNER/nnconform@"))


def test_the_examples_use_the_inputs_and_outputs_that_the_action_has():
    assert all(step["with"].keys() <= ACTION["inputs"].keys() for step in ours())
    text = "".join((EXAMPLES / name).read_text() for name in GITHUB)
    assert set(re.findall(r"steps\.nnconform\.outputs\.(\w+)", text)) <= ACTION["outputs"].keys()


def test_the_job_that_installs_packages_has_no_token_that_writes():
    upgrade = GITHUB["github-upgrade.yml"]
    compare, comment = upgrade["jobs"]["compare"], upgrade["jobs"]["comment"]
    assert upgrade["permissions"] == {}
    assert compare["permissions"] == {"contents": "read"}
    assert all(not s["with"]["persist-credentials"] for s in compare["steps"] if "checkout" in s.get("uses", ""))
    assert comment["permissions"] == {"pull-requests": "write"}
    assert not any("checkout" in s.get("uses", "") for s in comment["steps"])
    # YAML 1.1 reads the key `on` as true.
    assert upgrade[True].keys() == {"pull_request"}


GITLAB_COMMANDS = [shlex.split(line)[1:] for line in GITLAB_LINES if line.startswith("nnconform ")]


@pytest.mark.parametrize("words", GITLAB_COMMANDS, ids=" ".join)
def test_every_command_line_for_gitlab_is_accepted(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    accept(words)


def test_there_are_command_lines_for_gitlab():
    assert {words[0] for words in GITLAB_COMMANDS} == {"run", "upgrade"}


def evaluate(text: str, inputs: Mapping[str, str], outputs: Mapping[str, Mapping[str, str]]) -> str:
    """Replace expressions by their values, as GitHub does."""

    def value(match: re.Match[str]) -> str:
        kind, *path = match[1].split(".")
        return inputs[path[0]] if kind == "inputs" else outputs[path[0]].get(path[2], "")

    return re.sub(r"\$\{\{ ([\w.]+) \}\}", value, text)


class Runner:
    """Runs the steps of the action as GitHub does, with the files that carry outputs and summaries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary = folder / "summary"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(folder),
        }

    def command(self, name: str, script: str) -> None:
        """Put a command on the PATH, before all others."""
        (self.bin / name).write_text(f"#!/usr/bin/env bash\n{script}")
        (self.bin / name).chmod(0o755)

    def __call__(self, **given: str) -> tuple[int, dict[str, str], str]:
        """Return the exit status of the last step, the action's outputs, and the printed text."""
        assert given.keys() <= ACTION["inputs"].keys()
        inputs = {name: str(entry["default"]) for name, entry in ACTION["inputs"].items()} | given
        outputs: dict[str, dict[str, str]] = {step["id"]: {} for step in ACTION["runs"]["steps"]}
        printed = ""
        for step in ACTION["runs"]["steps"]:
            environment = {name: evaluate(text, inputs, outputs) for name, text in step["env"].items()}
            result = self.step(step["run"], environment)
            printed += result.stdout
            outputs[step["id"]] = dict(line.split("=", 1) for line in (self.folder / "output").read_text().splitlines())
            if result.returncode:
                break
        values = {name: evaluate(entry["value"], inputs, outputs) for name, entry in ACTION["outputs"].items()}
        return result.returncode, values, printed

    def step(self, script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        file, output = self.folder / "script.sh", self.folder / "output"
        file.write_text(script)
        output.write_text("")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", file],
            env=self.environment | environment | {"GITHUB_OUTPUT": str(output)},
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


# Records its words, one per line, and writes the files that its options name.
RECORDER = """
printf '%s\\n' "$@" > "$RUNNER_TEMP/words"
while [ $# -gt 0 ]; do
  case "$1" in --json | --markdown | --junit) echo "for $1" > "$2" ;; esac
  shift
done
exit "${STATUS:-0}"
"""


def test_the_action_runs_and_has_all_its_outputs(runner):
    options = "--operation=clip_by_value\n\n--dtype=float32\n"
    status, outputs, _ = runner(command="run", frameworks="numpy", options=options, install="false")
    assert status == 0
    assert outputs.pop("status") == "0"
    assert all(Path(path).is_file() for path in outputs.values())
    report = json.loads(Path(outputs["report"]).read_text())
    assert report["selection"] == {"frameworks": ["numpy"], "operations": ["clip_by_value"], "dtypes": ["float32"]}
    assert runner.summary.read_text() == Path(outputs["markdown"]).read_text()


def test_findings_fail_the_action_with_annotations_and_all_files(runner):
    options = f"--adapter={LIARS / 'drops_one.py'}\n--operation=clip_by_value"
    status, outputs, printed = runner(command="run", options=options, install="false")
    assert status == 1
    assert outputs["status"] == "1"
    assert all(outputs.values())
    assert "\n::error title=nnconform%3A liar clip_by_value (gradients)::diverges" in printed
    assert "1 finding needs action" in runner.summary.read_text()


def recorded(runner: Runner) -> list[str]:
    return (runner.folder / "words").read_text().splitlines()


INPUTS = [
    {"command": "upgrade", "old": "jax==0.9.2", "new": "requirements:a b.txt", "bits": "true", "python": "3.12"},
    {"command": "upgrade", "old": "keras==3.12.0+tensorflow==2.20.0", "new": "keras==3.15.1+tensorflow==2.20.0"},
    {"command": "run", "frameworks": "jax==0.9.2\n python:/x/bin/python ", "known": "a b.yaml", "strict": "true"},
    {"command": "run", "options": "--operation=batch_norm_*\n--timeout=60"},
    *(step["with"] for step in ours()),
]


@pytest.mark.parametrize("inputs", INPUTS)
def test_the_command_line_of_the_action_is_accepted(runner, inputs):
    runner.command("nnconform", RECORDER)
    assert runner(install="false", **inputs)[0] == 0
    words = recorded(runner)
    assert words[0] == inputs["command"]
    accept(words)


def test_inputs_reach_the_command_line_word_by_word(runner):
    runner.command("nnconform", RECORDER)
    runner(install="false", **INPUTS[0])
    words = recorded(runner)
    assert words[-3:] == ["--", "jax==0.9.2", "requirements:a b.txt"]
    assert {"--bits", "--python", "3.12", "--github"} <= set(words)
    runner(install="false", **INPUTS[2])
    words = recorded(runner)
    assert words[-3:] == ["--", "jax==0.9.2", "python:/x/bin/python"]
    assert words[words.index("--known") + 1] == "a b.yaml"
    assert "--strict" in words


@pytest.mark.parametrize("name", ["old", "frameworks", "known", "options", "python"])
def test_an_input_is_never_run(runner, name):
    runner.command("nnconform", RECORDER)
    evil = '$(touch "$RUNNER_TEMP/run")`touch "$RUNNER_TEMP/run"`"; touch "$RUNNER_TEMP/run" #*'
    command = "upgrade" if name == "old" else "run"
    runner(install="false", command=command, new="x", **{name: evil})
    assert (runner.folder / "words").exists()
    assert not (runner.folder / "run").exists()


WRONG = [
    {"command": "diff"},
    {"command": "upgrade", "old": "jax==0.9.2"},
    {"command": "upgrade", "old": "jax==0.9.2", "new": "jax", "bits": "yes"},
    {"command": "run", "strict": "1"},
]


@pytest.mark.parametrize("inputs", WRONG)
def test_wrong_inputs_end_with_2_and_an_annotation(runner, inputs):
    runner.command("nnconform", RECORDER)
    status, outputs, printed = runner(install="false", **inputs)
    assert (status, outputs["status"]) == (2, "2")
    assert printed.startswith("::error title=nnconform::")
    assert not (runner.folder / "words").exists()


@pytest.mark.parametrize("number", ["1", "2", "3", "130"])
def test_the_action_ends_with_the_exit_status_of_nnconform(runner, number):
    runner.command("nnconform", RECORDER)
    runner.environment["STATUS"] = number
    status, outputs, _ = runner(command="run", install="false")
    assert (str(status), outputs["status"]) == (number, number)


def test_without_files_the_outputs_are_empty(runner):
    runner.command("nnconform", "exit 2")
    status, outputs, _ = runner(command="run", install="false")
    assert (status, outputs) == (2, {"status": "2", "report": "", "markdown": "", "junit": ""})


# A substitute for Python: makes an environment whose interpreter it is, and records the commands of pip.
PYTHON = """
case "$*" in
  -c*) exit "${OLD:-0}" ;;
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "-m pip install "*)
    echo "$5" >> "$RUNNER_TEMP/installed"
    printf '#!/usr/bin/env bash\\nexit 0\\n' > "$(dirname "$0")/nnconform"
    chmod +x "$(dirname "$0")/nnconform" ;;
esac
"""


def test_the_action_installs_itself_with_its_envs_extra_once(runner):
    runner.command("python3", PYTHON)
    assert runner(command="run")[0] == 0
    assert runner(command="run")[0] == 0
    assert (runner.folder / "installed").read_text() == f"{ROOT}[envs]\n"


def test_a_python_that_is_too_old_is_named(runner):
    runner.command("python3", PYTHON)
    runner.environment["OLD"] = "1"
    status, _, printed = runner(command="run")
    assert status == 2
    assert "put actions/setup-python before this action" in printed


def test_a_missing_installation_is_named(runner):
    runner.environment["PATH"] = os.pathsep.join(p for p in ("/usr/bin", "/bin"))
    status, _, printed = runner(command="run", install="false")
    assert status == 2
    assert "no nnconform is on the PATH" in printed


def test_the_guide_names_every_example():
    text = (EXAMPLES / "README.md").read_text()
    assert all(f"]({path.name})" in text for path in EXAMPLES.glob("*.yml"))
