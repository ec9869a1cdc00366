#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: browse.py FOLDER PAGE PNG EXPRESSION...

Starts headless Chromium, lets it load PAGE of FOLDER from localhost, waits for the promise of
each EXPRESSION, prints its value as a line of JSON and leaves a picture of the window in PNG.
Camera and microphone are given without a question. The browser is told what to do over a pipe.
"""
import base64
import functools
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio",
         "--disable-extensions", "--disable-component-update", "--disable-background-networking",
         "--disable-sync", "--disable-default-apps", "--in-process-gpu",
         "--disable-features=OptimizationGuideOnDeviceModel,OnDeviceModelService,OptimizationHints",
         "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
         "--window-size=800,760", "--remote-debugging-pipe", "about:blank"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Browser:
    """DevTools protocol over the file descriptors 3 and 4: JSON that ends with a zero byte."""

    def __init__(self):
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        self.home = tempfile.TemporaryDirectory()
        command = ["chromium", "--user-data-dir=" + self.home.name, *FLAGS]
        # The shell gives the pipes the numbers that Chromium expects.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "-", *command],
            pass_fds=[to_read, from_write], stdin=subprocess.DEVNULL, stdout=sys.stderr)
        os.close(to_read)
        os.close(from_write)
        self.out, self.into = os.fdopen(to_write, "wb"), os.fdopen(from_read, "rb")
        self.number, self.rest = 0, b""

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.into.fileno(), 1 << 20)
            if not more:
                sys.exit("chromium has ended")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, session=None, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if session:
            request["sessionId"] = session
        self.out.write(json.dumps(request).encode() + b"\0")
        self.out.flush()
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]

    def wait_for(self, event):
        while self.message().get("method") != event:
            pass


def main(folder, page, png, *expressions):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = Browser()
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    tab = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    browser.ask("Page.enable", tab)
    browser.ask("Page.navigate", tab, url=f"http://localhost:{server.server_port}/{page}")
    browser.wait_for("Page.loadEventFired")
    for expression in expressions:
        result = browser.ask("Runtime.evaluate", tab, expression=expression, awaitPromise=True,
                             returnByValue=True)
        print(json.dumps(result["result"].get("value", result)), flush=True)
    picture = browser.ask("Page.captureScreenshot", tab)["data"]
    with open(png, "wb") as file:
        file.write(base64.b64decode(picture))
    browser.process.kill()
    browser.process.wait()


main(*sys.argv[1:])
