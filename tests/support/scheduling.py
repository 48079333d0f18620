"""Which tests pytest-xdist gives to a process together: those that share what takes long to make."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Tests of these share no more than the vectors, and are many or long: they fill up what the others leave.
APART = ("tests/judging/test_mutants.py", "tests/judging/test_dialect_controls.py", "tests/judging/test_confusion.py")
# All tests of a folder, which look at the same pages in one browser.
FOLDERS = ("tests/web/",)


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """A file or folder at a time, those of most tests first, and at last the tests that share nothing."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.endswith(APART):
            return nodeid
        return next((folder for folder in FOLDERS if folder in file), file)
