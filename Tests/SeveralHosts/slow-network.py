"""A network that delays every frame and loses some, for kernels without netem.

    python3 slow-network.py DELAY LOSS PORT...      milliseconds, percent, network interfaces

Passes each frame that arrives at one of the ports on to all others, as a hub does, until it is asked to end (SIGTERM);
then says how many it lost.
"""

import collections
import random
import select
import signal
import socket
import sys
import time

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 15, 23, 3


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    # The kernel leaves checksums and the cutting of large frames to the network card; with this header in front of every
    # frame, what is still to be done travels along.
    port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    port.bind((name, ETH_P_ALL))
    return port


def forward(ports, delay, loss):
    """Forwards for ever; yields at each frame that it loses."""
    # The delay is the same for all, so the frame that came first leaves first.
    waiting = collections.deque()
    draw = random.Random(1)
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for port in select.select(ports, [], [], pause)[0]:
            frame = port.recv(1 << 17)
            if draw.random() < loss:
                yield
            else:
                waiting.append((time.monotonic() + delay, frame, port))
        while waiting and waiting[0][0] <= time.monotonic():
            _, frame, source = waiting.popleft()
            for port in ports:
                if port is not source:
                    try:
                        port.send(frame)
                    except OSError:
                        pass  # A port that is down takes nothing.


def main(delay, loss, names):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    lost = 0
    try:
        for _ in forward([open_port(name) for name in names], delay, loss):
            lost += 1
    finally:
        print(lost)


if __name__ == "__main__":
    main(float(sys.argv[1]) / 1000, float(sys.argv[2]) / 100, sys.argv[3:])
