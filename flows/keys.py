"""The deployment's secret: keys the hashes of customer ids and of cached texts."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from flows.config import ConfigError

KEY_VARIABLE = "KIKITORI_KEY"
KEY_FILE = ".kikitori-key"


def deployment_key(out: Path) -> bytes:
    """Return the secret from ``KIKITORI_KEY``, else from ``OUT/.kikitori-key``, made on first use (mode 0600).

    A key file that others may read is closed to them before it is used.

    Losing it is harmless to the figures, but hashed customer ids of earlier nights no longer match new ones.

    Raises
    ------
    ConfigError
        If the file cannot be closed to others, cannot be read, or holds no key.
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
    _close_to_others(path)
    try:
        key = path.read_text(encoding="ascii").strip().encode()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path}: cannot be read as a key; restore it, or set {KEY_VARIABLE}") from None
    if not key:
        raise ConfigError(f"{path}: holds no key; restore it, or remove it to have a new one made")
    return key


def _close_to_others(path: Path) -> None:
    """Take group's and others' rights away: a key copied from a backup or an older umask may have them."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:  # someone else's file, or a file system without rights
        raise ConfigError(
            f"{path}: the key must be readable by its owner alone (mode 0600); it has {mode:04o} and cannot be changed;"
            f" run chmod 600 on it, or set {KEY_VARIABLE}"
        )
