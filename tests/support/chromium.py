"""A Chromium for tests, driven over its own debugging protocol; Debian's package `chromium`."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-port=0",
)
START_SECONDS = 60.0
ANSWER_SECONDS = 60.0


def program() -> str | None:
    """Where it is; None if it is not installed."""
    return shutil.which("chromium")


@asynccontextmanager
async def chromium() -> AsyncIterator["Tab"]:
    """One tab of a browser with a profile of its own; surely ended."""
    with tempfile.TemporaryDirectory(prefix="holdfast-chromium-", ignore_cleanup_errors=True) as at:
        command = [program() or "chromium", *FLAGS, f"--user-data-dir={at}", "about:blank"]
        quiet = subprocess.DEVNULL
        browser = await asyncio.create_subprocess_exec(
            *command, stdin=quiet, stdout=quiet, stderr=quiet
        )
        try:
            port = await _port(Path(at))
            async with aiohttp.ClientSession() as session:
                address = f"http://127.0.0.1:{port}/json/list"
                async with session.get(address) as answer:
                    tabs = await answer.json()
                url = next(t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    tab = Tab(socket)
                    await tab.begin()
                    try:
                        yield tab
                    finally:
                        tab.end()
        finally:
            browser.kill()
            await browser.wait()


async def _port(profile: Path) -> str:
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(START_SECONDS):
        while not file.exists() or not file.read_text():
            await asyncio.sleep(0.1)
    return file.read_text().split()[0]


class Tab:
    """What a person does with a page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.said: list[str] = []  # errors of scripts and of the console

    async def begin(self) -> None:
        """Listen to what the browser says."""
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")

    def end(self) -> None:
        """Listen no more."""
        self._reader.cancel()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the browser; its error is ours."""
        self._number += 1
        answer = self._asked[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        found = await asyncio.wait_for(answer, ANSWER_SECONDS)
        if "error" in found:
            raise AssertionError(f"{method}: {found['error']}")
        result: dict[str, Any] = found["result"]
        return result

    async def go(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def run(self, script: str) -> Any:
        """The value of an expression on the page, awaited if it is a promise."""
        done = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in done:
            raise AssertionError(f"{script[:200]}: {done['exceptionDetails']}")
        return done["result"].get("value")

    async def until(self, condition: str, seconds: float = 60.0) -> None:
        """Wait until an expression is true; a page that is just being left is asked again."""
        last: object = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        if last := await self.run(f"Boolean({condition})"):
                            return
                    except AssertionError as error:
                        last = error
                    await asyncio.sleep(0.1)
        except TimeoutError:
            text = await self.run("document.body.innerText")
            raise AssertionError(f"never true: {condition} ({last})\n{text}") from None

    async def cookie(self, url: str, name: str, value: str) -> None:
        """Be logged in."""
        await self.call("Network.setCookie", url=url, name=name, value=value)

    async def look(self, width: int, scheme: str = "light", height: int = 900) -> None:
        """Be a screen of this width that prefers light or dark."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.call("Emulation.setEmulatedMedia", features=[feature])

    async def picture(self, *, whole: bool = True) -> bytes:
        """A PNG of the page, or only of what the screen shows."""
        shot = await self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole,
        )
        return base64.b64decode(shot["data"])

    async def press(self, key: str) -> None:
        """Press a key: Tab, Enter, Escape."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27}
        more: Mapping[str, Any] = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key,
                windowsVirtualKeyCode=codes[key], **more,
            )

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._asked.pop(said["id"]).set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.said.append(str(said["params"]["exceptionDetails"]))
            elif said["method"] == "Log.entryAdded":
                self.said.append(said["params"]["entry"]["text"])
