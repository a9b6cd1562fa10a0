"""Kinto and portreeve as processes on loopback: started, waited for, stopped."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
START_LIMIT = 60  # seconds


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, limit, ready):
    """The first true value of `ready()`; raises when there is none within `limit` seconds."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = ready()
        if value:
            return value
        time.sleep(0.1)
    raise TimeoutError(f"{what}: not within {limit} s")


class Kinto:
    """The service behind the gate."""

    def __init__(self, work):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(work / "kinto.log", "wb")
        kinto = pathlib.Path(sys.executable).parent / "kinto"
        command = [kinto, "start", "--ini", HERE / "kinto.ini", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        try:
            wait_until("Kinto", START_LIMIT, self._answers)
        except Exception:
            self.stop()
            raise

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"Kinto ended with {self.process.returncode}")
        try:
            with urllib.request.urlopen(f"{self.url}/v1/__lbheartbeat__", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self):
        stop(self.process)
        self.log.close()


class Portreeve:
    """The gate, and its command line."""

    def __init__(self, program, work, admin):
        self.program = program
        init = [program, "init", "--state", work / "state", "--admin", admin, "--port", "0", "--json"]
        done = subprocess.run(init, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"portreeve init: exit {done.returncode}: {done.stderr}")
        made = json.loads(done.stdout)
        self.config = pathlib.Path(made["config"])
        self.token = made["admin_token"]
        self.log = open(work / "portreeve.log", "wb")
        self.process = None
        self.proxy = self.console = None

    def configure(self, extra):
        """Adds tables to the configuration."""
        self.config.write_text(f"{self.config.read_text()}\n{extra}")

    def serve(self):
        self.process = subprocess.Popen(
            [self.program, "serve", "--config", self.config, "--json"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"portreeve serve ended with {self.process.wait()}")
        ready = json.loads(line)
        self.proxy, self.console = ready["proxy"], ready["console"]

    def run(self, *arguments):
        """A command that may fail: (exit code, stdout, stderr)."""
        environment = dict(os.environ, PORTREEVE_URL=self.console or "", PORTREEVE_TOKEN=self.token)
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        return done.returncode, done.stdout, done.stderr

    def __call__(self, *arguments):
        """A command that must succeed: the JSON that it prints."""
        code, out, err = self.run(*arguments, "--json")
        if code != 0:
            raise RuntimeError(f"portreeve {' '.join(map(str, arguments))}: exit {code}: {err}")
        return json.loads(out)

    def stop(self):
        if self.process:
            stop(self.process)
        self.log.close()


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
