"""What workers do in tests of the engines: small functions that a worker process can import."""

import os
import time


def upper(texts):
    """Return the texts in capitals; the first shard takes longest, so that others end before it."""
    if "a0" in texts:
        time.sleep(0.5)
    return [f"{text.upper()} {os.environ.get('OMP_NUM_THREADS')}".encode() for text in texts]


def process_id(texts):
    """Return the number of the process that works."""
    return [str(os.getpid()).encode() for _ in texts]


def fail(texts):
    """Fail with a message that quotes a text."""
    raise ValueError(f"cannot read {texts[0]}")


def die(texts):
    """End the process, as the operating system does when memory runs out."""
    os._exit(9)


def tell_and_wait(texts):
    """Write this process' number where the environment says, and work for a long time."""
    with open(os.environ["TOLD"], "w", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(600)
