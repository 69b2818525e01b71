"""Other people's tools, in a throw-away environment of their own: never part of the project's lock."""

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def peer_python(folder: Path, requirements: Sequence[str]) -> Path:
    """Return the interpreter of an environment in a folder that holds the requirements, made on first use."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
    return python


def ask_peer(python: Path, script: Path, question: Any) -> Any:
    """Return the JSON that a script prints when run in the peer's environment with JSON on its input."""
    answer = subprocess.run(
        [python, script], input=json.dumps(question), text=True, stdout=subprocess.PIPE, stderr=sys.stderr, check=True
    )
    return json.loads(answer.stdout.splitlines()[-1])
