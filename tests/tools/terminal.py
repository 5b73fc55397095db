"""terminal.py COMMAND...: runs it on a terminal of its own and prints what came."""
import os
import pty
import sys

chunks = []
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
try:
    while data := os.read(terminal, 1 << 16):
        chunks.append(data)
except OSError:  # the other end is closed
    pass
os.waitpid(pid, 0)
print(b"".join(chunks).decode().replace("\r\x1b[K", "<erase>"))
