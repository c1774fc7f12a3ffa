"""What a person sees while something slow goes on: lines on stderr, no noise."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_REPAINT_S = 1.0


class Progress:
    """Says on `stream` what is being done.

    On a terminal a step is one line that counts the time; elsewhere, in a log, it is
    a line when it begins and one when it is done.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()

    def say(self, text: str) -> None:
        """Print `text` as a line of its own."""
        print(f"control plane: {text}", file=self._stream, flush=True)

    @contextmanager
    def step(self, text: str, *, estimate_s: float | None = None) -> Iterator[None]:
        """Show `text` while the body runs, and how long it took at the end.

        Args:
            text: What is being done, in the present tense.
            estimate_s: How long that takes on an idle machine, in seconds, if known.
        """
        bound = (
            f" (about {duration(estimate_s)} if the machine is idle)"
            if estimate_s
            else ""
        )
        begun = time.monotonic()
        if not self._live:
            self.say(f"{text}{bound} …")
        done = threading.Event()
        painter = threading.Thread(
            target=self._repaint, args=(f"{text}{bound}", begun, done), daemon=True
        )
        if self._live:
            painter.start()
        try:
            yield
        except BaseException:
            self._end(painter, done)
            raise
        self._end(painter, done)
        self.say(f"{text}: done in {duration(time.monotonic() - begun)}")

    def _end(self, painter: threading.Thread, done: threading.Event) -> None:
        done.set()
        if self._live:
            painter.join()
            print("\r\033[K", end="", file=self._stream, flush=True)

    def _repaint(self, text: str, begun: float, done: threading.Event) -> None:
        while not done.is_set():
            passed = duration(time.monotonic() - begun)
            line = f"\r\033[Kcontrol plane: {text} … {passed}"
            print(line, end="", file=self._stream, flush=True)
            done.wait(_REPAINT_S)


def duration(seconds: float) -> str:
    """Return `seconds` as a person says them: ``48 s``, ``5 min 27 s``."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
