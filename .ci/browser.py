"""A headless Chromium that says what a page did: driven over a pipe, with the standard library alone."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip
SECONDS = 120
"""Longest that the browser may take to answer, on a machine that has much to do."""

LISTEN = """
addEventListener("securitypolicyviolation", event =>
  (window.broken ??= []).push(`${event.effectiveDirective} ${event.blockedURI}`))
"""


def program() -> str | None:
    """The browser of this machine, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Tab:
    """One page in the browser, and what it did since it was opened.

    Attributes
    ----------
    asked : addresses that it asked for, its own file and `data:` left out.
    said : what stands on its console, errors and the browser's own complaints included.
    """

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=LISTEN)
        self.asked: list[str] = []
        self.said: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something with this page; see the Chrome DevTools protocol."""
        return self._browser.call(method, self._session, **parameters)

    def show(self, *, width: int, theme: str = "light", medium: str = "screen") -> None:
        """Look at what is opened next, or is open, on a screen so many CSS pixels wide, or as it is printed."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)

    def open(self, file: Path) -> None:
        """Open a file, and wait until all of it is there."""
        self.asked, self.said, self._browser.events = [], [], []
        address = file.resolve().as_uri()
        self.call("Page.navigate", url=address)
        self._browser.wait("Page.loadEventFired", self._session)
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
        for event in self._browser.events:
            self._note(event["method"], event["params"], address)
        self.said += [f"the policy of the page broke: {what}" for what in self.run("window.broken ?? []")]

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page, waited for if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "a script failed"))
        return answer["result"].get("value")

    def close(self) -> None:
        """Close the page."""
        self.call("Page.close")

    def _note(self, event: str, about: dict[str, Any], own: str) -> None:
        if event == "Network.requestWillBeSent":
            address = about["request"]["url"]
            if address.partition("#")[0] != own and not address.startswith("data:"):
                self.asked.append(address[:200])
        elif event == "Log.entryAdded":
            self.said.append(about["entry"]["text"])
        elif event == "Runtime.exceptionThrown":
            self.said.append(about["exceptionDetails"]["text"])
        elif event == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(part.get("value", "")) for part in about["args"]))
        elif event == "Page.javascriptDialogOpening":
            self.said.append(f"a box was opened: {about['message']}")


class Browser:
    """Chromium, started by `browsing`."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes, self._number, self._rest = reads, writes, 0, b""
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send one command, and return its answer; what happens meanwhile is kept in `events`."""
        number = self._send(method, session, parameters)
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._keep(answer)

    def _send(self, method: str, session: str | None, parameters: dict[str, Any]) -> int:
        """Send one command, and return its number."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        text = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        while text:
            text = text[os.write(self._writes, text) :]
        return self._number

    def wait(self, method: str, session: str) -> None:
        """Wait for an event of a page; those before it are kept."""
        while not any(event["method"] == method and event.get("sessionId") == session for event in self.events):
            self._keep(self._next())

    def _keep(self, answer: dict[str, Any]) -> None:
        """Keep an event, and close a box that a script opened: the page would wait for it."""
        if "method" not in answer:
            return
        self.events.append(answer)
        if answer["method"] == "Page.javascriptDialogOpening":
            self._send("Page.handleJavaScriptDialog", answer.get("sessionId"), {"accept": False})

    def _next(self) -> dict[str, Any]:
        """The next answer or event."""
        until = time.monotonic() + SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reads], [], [], max(0.0, until - time.monotonic()))
            read = os.read(self._reads, 1 << 20) if ready else b""
            if not read:
                raise RuntimeError(f"Chromium {'ended' if ready else f'did not answer for {SECONDS} s'}")
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        said: dict[str, Any] = json.loads(message)
        return said


@contextlib.contextmanager
def browsing(chromium: str | None = None) -> Iterator[Browser]:
    """Chromium with a fresh profile that finds no other host; it ends with the `with` block."""
    chromium = chromium or program()
    if chromium is None:
        raise FileNotFoundError("no Chromium on this machine: apt-get install chromium")
    commands, answers = os.pipe(), os.pipe()

    def pipes() -> None:  # what --remote-debugging-pipe expects: 3 to read, 4 to write
        inner = os.dup(commands[0]), os.dup(answers[1])
        os.dup2(inner[0], 3)
        os.dup2(inner[1], 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        own = ["--no-sandbox"] if os.getuid() == 0 else []
        process = subprocess.Popen(
            [chromium, *OPTIONS, *own, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=pipes,
        )  # fmt: skip
        os.close(commands[0])
        os.close(answers[1])
        browser = Browser(answers[0], commands[1])
        try:
            yield browser
            with contextlib.suppress(RuntimeError, OSError):
                browser.call("Browser.close")
        finally:
            os.close(commands[1])
            os.close(answers[0])
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
