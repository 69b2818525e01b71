"""Run nights in child processes that die, or find the disk full, at a chosen moment.

Started by test_faults.py as a process of its own: parser and models are loaded once, every night is a fork. Jobs
come as JSON lines on standard input, answers go to standard output. An event is anything that changes what is on
disk: a statement or a commit in the database, half a file written, a rename, a new or removed file or folder.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import traceback
from datetime import date
from pathlib import Path

FUNCTIONS = ("link", "mkdir", "rename", "replace", "rmdir", "unlink")
FREEING = ("rmdir", "unlink")  # these work on a full disk, too
AT_ONCE = 2


class Events:
    """Counts events; at the chosen one the process is killed, or from it on is told that the disk is full."""

    def __init__(self, job):
        self.n, self.kill_at, self.full_from = 0, job.get("kill_at"), job.get("full_from", sys.maxsize)

    def tick(self, *_, **__):
        self.n += 1
        if self.n == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def tick_file(self):
        self.tick()
        if self.n >= self.full_from:
            raise OSError(28, "No space left on device")

    def listen(self):
        import sqlalchemy as sa

        sa.event.listen(sa.Engine, "before_cursor_execute", self.tick)
        sa.event.listen(sa.Engine, "commit", self.tick)
        for name in FUNCTIONS:
            self.wrap(name)
        Path.write_bytes = self.in_halves()

    def wrap(self, name):
        function = getattr(os, name)

        def counted(*arguments, **more):
            (self.tick if name in FREEING else self.tick_file)()
            return function(*arguments, **more)

        setattr(os, name, counted)

    def in_halves(self):
        def write_bytes(path, content):
            with open(path, "wb") as file:
                file.write(content[: len(content) // 2])
                file.flush()
                self.tick_file()
                file.write(content[len(content) // 2 :])
            return len(content)

        return write_bytes


def without_prefect():
    """Make the tasks of the night plain functions: the night itself is what is tested."""
    import prefect

    from flows import nightly

    for name, value in list(vars(nightly).items()):
        if isinstance(value, prefect.Task):
            setattr(nightly, name, value.fn)
    nightly.leave_artifacts = lambda *_: None
    nightly.shown_progress = lambda *_: contextlib.nullcontext()


def loaded_models():
    """Load parser and models once; the nights find them loaded."""
    from flows import nightly
    from models.embedding import Encoder
    from models.sentiment import SentimentClassifier
    from pipeline.parse import shared_parser

    shared_parser()
    encoder = Encoder.from_pretrained()
    classifier = SentimentClassifier.from_pretrained(encoder)

    class Loaded:
        def __init__(self, value):
            self.value = value

        def from_pretrained(self, *_, **__):
            return self.value

    nightly.Encoder, nightly.SentimentClassifier = Loaded(encoder), Loaded(classifier)


def work(job):
    """Do one job in this process, which the job may end."""
    import typer

    from flows.config import load_config
    from flows.erase import forget
    from flows.errors import one_line_errors
    from flows.nightly import nightly

    if job.get("largest_file"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["largest_file"], resource.RLIM_INFINITY))
    events = Events(job)
    events.listen()
    config = Path(job["config"])
    try:
        with one_line_errors():
            if job["do"] == "run":
                nightly.fn(str(config), date.fromisoformat(job["date"]), force=True, wait_minutes=0)
            else:
                settings = load_config(config)
                forget(settings, settings.out, by="test", customer=job["customer"])
    except typer.Exit as error:
        return {"status": error.exit_code, "events": events.n}
    return {"status": 0, "events": events.n}


def start(job):
    """Fork; return the child's process id and where its answer will be."""
    answer = Path(job["answer"])
    child = os.fork()
    if child:
        return child, answer
    status = {"status": 1}
    with open(answer.with_suffix(".err"), "w", encoding="utf-8") as errors, contextlib.redirect_stderr(errors):
        try:
            status = work(job)
        except BaseException:
            traceback.print_exc()
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(status, file)
    os._exit(0)


def main():
    """Answer a list of jobs per line, two at a time."""
    without_prefect()
    loaded_models()
    for line in sys.stdin:
        waiting, running, answers = list(enumerate(json.loads(line))), {}, {}
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                number, job = waiting.pop(0)
                child, answer = start(job)
                running[child] = (number, answer)
            child, _ = os.wait()
            number, answer = running.pop(child)
            killed = {"status": -9}
            answers[number] = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else killed
        print(json.dumps([answers[number] for number in sorted(answers)]), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
