"""Callers in threads, bounded by count, each with its own connection; every answer is kept."""
import threading
import time

import requests


class Caller(threading.Thread):
    """Sends the same request again and again until told to stop or `limit` is reached."""

    def __init__(self, name, url, key, limit=5000, pause=0.002):
        super().__init__(name=name, daemon=True)
        self.url, self.key, self.limit, self.pause = url, key, limit, pause
        self.answers = []  # (when it was sent, status or 0 when there was no answer)
        self.stopped = threading.Event()

    def run(self):
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.key}"
            for _ in range(self.limit):
                if self.stopped.wait(self.pause):
                    return
                sent = time.monotonic()
                try:
                    status = session.get(self.url, timeout=10).status_code
                except requests.RequestException:
                    status = 0
                self.answers.append((sent, status))

    def sent_after(self, moment):
        return [status for sent, status in self.answers if sent > moment]


def stop_all(callers):
    for caller in callers:
        caller.stopped.set()
    for caller in callers:
        caller.join(30)
