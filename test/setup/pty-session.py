"""Types into a program on a pseudo terminal, for terminal.test.ts.

argv: the command. Standard input: JSON, a list of [keys, what to wait for, seconds at most]. Standard output: JSON: what the
terminal showed after each, and the exit status (null if it had to be killed).
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

steps = json.load(sys.stdin)
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))


def read_until(wanted, seconds):
    seen = b""
    end = time.time() + seconds
    while time.time() < end:
        if select.select([fd], [], [], 0.05)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            if not data:
                return seen + b"<EOF>"
            seen += data
            if wanted and wanted in seen:
                # A little more, should it say more than it ought to.
                end = min(end, time.time() + 0.1)
    return seen


shown = []
for keys, wanted, seconds in steps:
    if keys.startswith("RESIZE"):
        rows, columns = keys.split()[1:]
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
    else:
        os.write(fd, keys.encode())
    shown.append(read_until(wanted.encode(), seconds).decode("utf8", "replace"))
status = None
for _ in range(100):
    done, how = os.waitpid(pid, os.WNOHANG)
    if done:
        status = os.waitstatus_to_exitcode(how)
        break
    time.sleep(0.05)
else:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
json.dump({"shown": shown, "status": status}, sys.stdout)
