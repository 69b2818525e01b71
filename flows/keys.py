"""The deployment's secret: keys the hashes of customer ids and of cached texts."""

import os
import secrets
from pathlib import Path

KEY_VARIABLE = "KIKITORI_KEY"
KEY_FILE = ".kikitori-key"


def deployment_key(out: Path) -> bytes:
    """Return the secret from ``KIKITORI_KEY``, else from ``OUT/.kikitori-key``, made on first use (mode 0600).

    Losing it is harmless to the figures, but hashed customer ids of earlier nights no longer match new ones.
    """
    if value := os.environ.get(KEY_VARIABLE):
        return value.encode()
    path = out / KEY_FILE
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(secrets.token_hex(32), encoding="ascii")
        try:
            os.link(partial, path)  # fails where another process was first, and its key stays
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_text(encoding="ascii").strip().encode()
