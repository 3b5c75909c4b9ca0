"""A fresh environment that holds what requirement lines name, and nothing else.

Installing PyTorch anew for each test would take minutes. Here a virtual environment without packages gets links to the files of
the named distributions and of what they require in turn, taken from the environment of the tests. A line whose version is not the
installed one, or a package that a line forgot, shows as it would after a real install.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True)
class Fresh:
    """A virtual environment. Commands run with its Python, without the project, the user's packages or a network."""

    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    def environment(self, **more: str) -> dict[str, str]:
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        # A proxy that nobody answers: whatever asks the network fails at once instead of finding it.
        dead = "http://127.0.0.1:9"
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), dead)
        local = {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
        return {
            "PATH": f"{self.directory / 'bin'}:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
            **proxies,
            **local,
            **more,
        }

    def run(self, *command: str, cwd: Path, timeout: float = 300, **more: str) -> str:
        """The standard output of `python COMMAND`; AssertionError with everything it said when it fails."""
        done = subprocess.run(
            [str(self.python), *command],
            cwd=cwd,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def requirement_lines(text: str) -> list[str]:
    """The requirements of a requirements.txt: no comments, no options."""
    lines = (line.partition(" #")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def fresh_environment(directory: Path, requirements: Iterable[str]) -> Fresh:
    """Make the environment. AssertionError where a line asks for what is not installed here in that version."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True, timeout=120)
    site = directory / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for result in _closure(requirements):
        for file in result.files or ():
            first = file.parts[0]
            if first in ("..", "/", "__pycache__") or first.endswith(".pth"):
                continue
            source, link = Path(str(result.locate_file(first))), site / first
            if source.exists() and not link.exists():
                link.symlink_to(source)
    return Fresh(directory)


def _closure(requirements: Iterable[str]) -> list[Distribution]:
    result: dict[str, Distribution] = {}
    waiting = [(Requirement(line), True) for line in requirements]
    while waiting:
        expected, named = waiting.pop()
        name = canonicalize_name(expected.name)
        if name not in result or expected.extras:
            try:
                installed = distribution(expected.name)
            except PackageNotFoundError as error:
                if named:
                    raise AssertionError(f"{expected} is not installed here") from error
                continue  # such as CUDA's libraries beside a CPU build
            version = installed.version.partition("+")[0]
            assert not named or expected.specifier.contains(version), f"{expected} is named, {version} is installed"
            result[name] = installed
            extras = expected.extras or {""}
            for line in installed.requires or ():
                inner = Requirement(line)
                if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in extras):
                    waiting.append((inner, False))
    return list(result.values())
