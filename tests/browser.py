"""Pages in a real browser: Chromium without a window, spoken with over two pipes, so that no driver is needed."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
# Chromium reads commands from 3 and writes answers to 4.
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"
)
LONGEST_S = 60.0


def chromium() -> str | None:
    """TOTALML_CHROMIUM, or what is on the path; None if there is none."""
    found = [os.environ.get("TOTALML_CHROMIUM"), *map(shutil.which, NAMES)]
    return next((path for path in found if path), None)


def axe() -> str:
    """The source of axe-core."""
    return files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")


class Browser:
    """One tab."""

    def __init__(self, command: str, profile: Path) -> None:
        reads, self._out = os.pipe()
        self._in, writes = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (reads, writes)]
        given = [command, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *map(str, high), *given],
            pass_fds=high,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (reads, writes, *high):
            os.close(fd)
        self._session: str | None = None
        self._number, self._read = 0, b""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.do("Page.enable")
        self.do("Page.setBypassCSP", enabled=True)  # our pages allow no script, axe is one

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)

    def show(self, page: Path, width_px: int = 1280, **media: str) -> None:
        """Open a page; `media` is what its media queries see, as `prefers_color_scheme="dark"`."""
        self.do("Emulation.setDeviceMetricsOverride", width=width_px, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.do("Emulation.setEmulatedMedia", features=features)
        self.open(page.as_uri())

    def open(self, url: str) -> None:
        self.do("Page.navigate", url=url)
        self._until(lambda message: message.get("method") == "Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to; a promise is waited for."""
        found = self.do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press_tab(self) -> None:
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    def print(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(self.do("Page.printToPDF", printBackground=False)["data"])

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        line = json.dumps(message).encode() + b"\0"
        while line:
            line = line[os.write(self._out, line) :]
        answer = self._until(lambda message: message.get("id") == number)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _until(self, wanted: Any) -> dict[str, Any]:
        due = time.monotonic() + LONGEST_S
        while time.monotonic() < due:
            while b"\0" not in self._read:
                chunk = os.read(self._in, 1 << 20)
                assert chunk, f"{self._process.args} ended with {self._process.wait()}"
                self._read += chunk
            line, _, self._read = self._read.partition(b"\0")
            if wanted(message := json.loads(line)):
                return message
        raise TimeoutError(f"Chromium did not answer within {LONGEST_S} s")


@contextmanager
def open_browser(command: str, profile: Path) -> Iterator[Browser]:
    browser = Browser(command, profile)
    try:
        yield browser
    finally:
        browser.close()
