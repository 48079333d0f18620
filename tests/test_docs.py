"""The documentation: links lead somewhere, shown commands exist, and the README is short."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import click
import pytest
import recorded
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from nnconform.conformance.commands import pytest_plugin
from nnconform.conformance.commands.cli import cli
from nnconform.conformance.layout import WIDTH, plain_text
from nnconform.conformance.model.report import Report
from nnconform.conformance.terminal import run_report

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
GUIDES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [
    *GUIDES,
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "examples").rglob("*.md")),
    *sorted((ROOT / "spec").glob("*.md")),
]
WORDS_OF_README = 900
# Options of pytest itself that the pages show next to those of the plugin.
OF_PYTEST = {"--junitxml"}
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
every_guide = pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def tokens(page: Path) -> list[Token]:
    """All tokens of a page, inline ones in the place of their parents."""
    blocks = MarkdownIt("commonmark").enable("table").parse(page.read_text())
    return [token for block in blocks for token in (block, *(block.children or ()))]


def plain(heading: Token) -> str:
    return "".join(token.content for token in heading.children or () if token.type in ("text", "code_inline"))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    blocks = tokens(page)
    for opening, heading in pairwise(blocks):
        if opening.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", plain(heading).lower()).replace(" ", "-")
            number = next(n for n in range(len(found) + 1) if (f"{slug}-{n}" if n else slug) not in found)
            found.add(f"{slug}-{number}" if number else slug)
    return found


def links(page: Path) -> Iterator[str]:
    for token in tokens(page):
        if token.type == "link_open":
            yield str(token.attrs["href"])
        elif token.type == "image":
            yield str(token.attrs["src"])
        elif token.type in ("html_block", "html_inline"):
            yield from re.findall(r'(?:src|srcset|href)="([^"]+)"', token.content)


def shown_lines(page: Path) -> Iterator[str]:
    """The command lines of a page: the lines of its shell blocks, and code within text."""
    for token in tokens(page):
        if token.type == "code_inline":
            yield " ".join(token.content.split())
        elif token.type == "fence" and token.info == "sh":
            for line in token.content.replace("\\\n", " ").splitlines():
                yield from line.split(" && ")


def commands(page: Path) -> Iterator[list[str]]:
    """The calls of nnconform that a page shows, without the name of the program."""
    for line in shown_lines(page):
        words = shlex.split(line, comments=True) if line.startswith("nnconform ") else []
        if ">" in words:
            words = words[: words.index(">")]
        if len(words) > 1:
            yield words[1:]


def parse(words: list[str]) -> None:
    """Parse a command line and run nothing; files that the reader has need not exist here.

    Raises:
        click.UsageError: the command, an option or a word of a closed list does not exist.
    """
    name, *arguments = words
    command = cli.get_command(click.Context(cli), name)
    if command is None:
        raise click.UsageError(f"no command {name!r}")
    if not arguments:
        return
    try:
        context = command.make_context(name, arguments)
    except click.BadParameter as error:
        if not isinstance(error.param and error.param.type, click.Path):
            raise
        return
    if isinstance(command, click.Group) and arguments and command.get_command(context, arguments[0]) is None:
        raise click.UsageError(f"{name} has no command {arguments[0]!r}")


def options(command: click.Command) -> set[str]:
    own = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if isinstance(command, click.Group):
        context = click.Context(command)
        found = (command.get_command(context, name) for name in command.list_commands(context))
        return own.union(*(options(child) for child in found if child is not None))
    return own


@cache
def known_options() -> set[str]:
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    plugin = {name for option in parser.getgroup("nnconform").options for name in option.names()}
    return options(cli) | plugin | OF_PYTEST


def test_the_readme_is_short():
    assert len(README.read_text().split()) <= WORDS_OF_README


@every_page
def test_every_link_to_a_file_of_the_repository_leads_there(page):
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@every_page
def test_every_command_that_is_shown_exists(page):
    wrong = {}
    for words in commands(page):
        try:
            parse(words)
        except click.UsageError as error:
            wrong[shlex.join(words)] = error.format_message()
    assert wrong == {}


@every_guide
def test_every_option_that_is_named_exists(page):
    lines = [line for line in shown_lines(page) if line.startswith(("--", "nnconform ", "pytest "))]
    found = {word for line in lines for word in re.findall(r"(?<!\S)--[a-z][a-z-]*", line)}
    assert found - known_options() == set()


def test_every_page_of_the_documentation_is_listed_in_its_index():
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert set(index.parent.glob("*.md")) - {index} <= listed


def test_the_index_names_every_page_of_the_spec():
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert set((ROOT / "spec").glob("*.md")) <= listed


def test_the_test_of_commands_sees_a_wrong_one():
    with pytest.raises(click.UsageError):
        parse(["run", "--no-such-option"])
    with pytest.raises(click.UsageError):
        parse(["list", "nothing"])
    with pytest.raises(click.UsageError):
        parse(["envs", "nothing"])
    with pytest.raises(click.UsageError):
        parse(["nothing"])
    parse(["html", "missing.json", "page.html"])


def example(page: str, name: str) -> str:
    """The fenced block that follows the comment ``<!-- example: NAME -->``."""
    found = re.search(
        rf"<!-- example: {re.escape(name)} -->\n```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL
    )
    assert found is not None
    return found[1]


def test_the_adapter_of_the_documentation_runs_and_has_the_dialect_that_is_named(cli, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(example("docs/implement.md", "mine.py"))
    result = cli("run", "--adapter", path, "--operation", "elu")
    assert result.exit_code == 0
    assert "exp-minus-one" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("  elu "))
    assert row.split() in [line.split() for line in (ROOT / "docs/implement.md").read_text().splitlines()]


def test_the_example_of_the_reference_prints_its_comment(capsys, tmp_path):
    text = example("docs/vectors.md", "reference")
    path = tmp_path / "example.py"
    path.write_text(text)
    runpy.run_path(str(path))
    assert capsys.readouterr().out.strip() == text.rpartition("# ")[2].strip()


def test_the_contributors_guide_lists_every_folder_of_the_harness_in_its_order():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {path.parent.name for path in (ROOT / "conformance").glob("*/__init__.py")}
    line = next(span for span in shown_lines(ROOT / "CONTRIBUTING.md") if span.startswith("spec < "))
    ordered = line.split("(files at its root) < ")[1].split(" < ")
    assert len(ordered) == len(set(ordered))
    assert set(ordered) == folders
    rows = re.findall(r"^\| `conformance/(\w+)/` \|", text, re.MULTILINE)
    assert rows == ordered


@every_guide
def test_every_path_of_the_repository_that_is_named_exists(page):
    tops = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    named = {span for span in shown_lines(page) if re.fullmatch(r"(\w+)/[\w./-]*", span) and span.split("/")[0] in tops}
    assert {
        name for name in named if "NAME" not in name and "/OPERATION/" not in name and not (ROOT / name).exists()
    } == set()


def test_the_list_of_known_divergences_in_the_documentation_holds_for_a_whole_run(cli, full, tmp_path):
    shown = [token.content for token in tokens(ROOT / "docs/ci.md") if token.type == "fence" and token.info == "yaml"]
    assert len(shown) == 1
    path, report = tmp_path / "known.yaml", tmp_path / "report.json"
    path.write_text(shown[0])
    report.write_text(json.dumps(full))
    result = cli("known", path, "--report", report)
    assert result.exit_code == 0
    assert "1 hold" in result.stdout


def test_the_vector_in_the_documentation_is_a_published_one(published):
    text = next(t.content for t in tokens(ROOT / "docs/vectors.md") if t.type == "fence" and t.info == "yaml")
    (shown,) = yaml.safe_load(text)
    vector = published[shown["id"]]
    assert set(shown["clauses"]) <= set(vector.clauses)
    assert shown["attributes"] == vector.attributes
    assert set(shown["dialects"]) <= set(vector.dialects)


def excerpts(page: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Each command whose output a page quotes, without the program's name, and the quoted lines."""
    pattern = r"<!-- excerpt of `nnconform (.+?)` -->\n\s*```text\n(.*?)```"
    for command, text in re.findall(pattern, page.read_text(), re.DOTALL):
        yield shlex.split(command), [line.strip() for line in text.splitlines() if line.strip() != "..."]


def test_a_quoted_run_is_the_text_of_the_recorded_whole_run():
    report = Report.from_json(recorded.fresh(recorded.FULL))
    text = plain_text(run_report.blocks(report, run_report.Detail()), WIDTH)
    printed = [line.strip() for line in text.splitlines()]
    quoted = [lines for page in GUIDES for words, lines in excerpts(page) if words == ["run"]]
    assert quoted
    assert [line for lines in quoted for line in lines if line not in printed] == []


def test_a_quoted_upgrade_is_in_its_recorded_output():
    folder = ROOT / "examples" / "upgrades"
    outputs = dict(
        re.findall(r"^\| `nnconform (upgrade .+?)` \| \[(.+?)\]", (folder / "README.md").read_text(), re.MULTILINE)
    )
    quoted = [(words, lines) for page in GUIDES for words, lines in excerpts(page) if words[0] == "upgrade"]
    assert quoted
    for words, lines in quoted:
        printed = [line.strip() for line in (folder / outputs[" ".join(words)]).read_text().splitlines()]
        assert [line for line in lines if line not in printed] == []


def test_a_quoted_explanation_is_what_the_command_prints(cli, full, tmp_path):
    report = tmp_path / "report.json"
    report.write_text(json.dumps(full))
    quoted = [(words, lines) for page in GUIDES for words, lines in excerpts(page) if words[0] == "explain"]
    assert quoted
    for words, lines in quoted:
        printed = [line.strip() for line in cli(*words, "--report", report).stdout.splitlines()]
        assert [line for line in lines if line not in printed] == []
