"""Files: written whole or not at all, and the user's cache folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: to a temporary file first, which then replaces it.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=path.name, delete=False) as file:
        temporary = Path(file.name)
    try:
        temporary.write_bytes(data)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def cache_folder() -> Path:
    """Return the user's cache folder of nnconform."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("nnconform", appauthor=False))
