#!/usr/bin/env python3
"""Plays one side of the WebSocket connections of a capture, with the original pauses.

What was said stands below the program, a line each, as JSON in comments: none of it is ever run.
Needs Python 3.9 and the package websockets, 15 or newer.
"""

import argparse
import array
import asyncio
import base64
import collections
import http
import json
import ssl
import sys

try:
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConcurrencyError, ConnectionClosed, InvalidHandshake, InvalidURI, WebSocketException
except ImportError:
    sys.exit("the package websockets is needed, 15 or newer: python3 -m pip install websockets")

# Seconds that the other side is waited for: to say what it had said by then (before the end, and always with --in-step),
# and to close at the end.
PATIENCE = 5.0


class Connection:
    """A connection of the capture: its first line, and where the others stand in this file."""

    def __init__(self, number, begin):
        self.number = number
        self.begin = begin
        self.places = array.array("Q")

    def lines(self):
        """What was said, in order; each line is read when its turn comes."""
        with open(__file__, "rb") as file:
            for place in self.places:
                file.seek(place)
                yield value(file.readline())


def value(line):
    return json.loads(line[line.index(b"{") :])


def load(wanted):
    """The connections, in the order in which they began."""
    connections = {}
    with open(__file__, "rb") as file:
        place = 0
        for line in file:
            if line.startswith(b"#: "):
                number = int(line[3 : line.index(b" ", 3)])
                if number in connections:
                    connections[number].places.append(place)
                elif not wanted or number in wanted:
                    connections[number] = Connection(number, value(line))
            place += len(line)
    for number in wanted:
        if number not in connections:
            sys.exit(f"no connection {number}")
    return list(connections.values())


def words(error):
    """What an error says, without anything that a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(error))


def data(line):
    """What a data message says, and whether it is text; None for any other line."""
    if "text" in line:
        return line["text"].encode(), True
    if "bytes" in line:
        return base64.b64decode(line["bytes"]), line["type"] == "text"
    return None


class Player:
    """One side of one connection."""

    def __init__(self, connection, side, options):
        self.connection = connection
        self.side = side
        self.options = options
        self.said = self.heard = self.differ = 0
        self.news = asyncio.Event()
        self.trouble = None

    async def play(self, ws):
        listener = asyncio.create_task(self.listen(ws))
        try:
            await self.talk(ws)
        except ConnectionClosed as closed:
            self.trouble = f"closed early: {words(closed)}"
        except WebSocketException as error:
            self.trouble = words(error)
        await asyncio.wait([listener], timeout=PATIENCE)
        await ws.close()
        await listener
        self.tell()

    async def talk(self, ws):
        clock = asyncio.get_running_loop().time
        began, theirs = clock(), 0
        for line in self.connection.lines():
            if line["from"] != self.side:
                if line["type"] in ("close", "end"):
                    return  # Theirs is the last word, which is answered when it comes.
                theirs += data(line) is not None
                continue
            due = began + (line["at"] - self.connection.begin["answered"]) / 1e9 / self.options.speed
            is_end = line["type"] in ("close", "end")  # Too early it would cut off what comes later than in the capture.
            if (is_end or self.options.in_step) and await self.has_heard(theirs):
                late = max(0.0, clock() - due)
                began, due = began + late, due + late
            await asyncio.sleep(max(0.0, due - clock()))
            if not await self.say(ws, line):
                return

    async def has_heard(self, count):
        """Waits until so many messages came; whether that took a while."""
        if self.heard >= count:
            return False
        try:
            await asyncio.wait_for(self.until(count), PATIENCE)
        except asyncio.TimeoutError:
            print(f"{self.connection.number}: {self.heard} messages came where {count} had come before", file=sys.stderr)
        return True

    async def until(self, count):
        while self.heard < count:
            self.news.clear()
            await self.news.wait()

    async def say(self, ws, line):
        """Says a line; whether more can follow."""
        message = data(line)
        if message is not None:
            body, is_text = message
            await ws.send(body, text=is_text)
            self.said += 1
        elif line["type"] == "ping":
            try:
                await ws.ping(base64.b64decode(line["body"]))
            except ConcurrencyError:
                pass  # The same ping is not answered yet.
        elif line["type"] == "pong":
            await ws.pong(base64.b64decode(line["body"]))
        elif line["type"] == "close":
            try:
                await ws.close(line["code"], line["reason"])
            except WebSocketException:
                print(f"{self.connection.number}: code {line['code']} cannot be sent: 1000 instead", file=sys.stderr)
                await ws.close()
            return False
        elif line["type"] == "end":
            ws.transport.abort()
            return False
        return True

    async def listen(self, ws):
        expected = (line for line in self.connection.lines() if line["from"] != self.side and data(line) is not None)
        try:
            while True:
                message = await ws.recv(decode=False)  # Texts as well: they may be no UTF-8.
                self.heard += 1
                self.news.set()
                line = next(expected, None)
                self.differ += line is None or data(line)[0] != message
        except ConnectionClosed:
            pass

    def tell(self):
        ours = theirs = 0
        for line in self.connection.lines():
            if data(line) is not None:
                ours += line["from"] == self.side
                theirs += line["from"] != self.side
        words = f"said {self.said} of {ours}, heard {self.heard} of {theirs}, {self.differ} differ"
        note = f"; {self.trouble}" if self.trouble else ""
        print(f"{self.connection.number}: {words}{note}", flush=True)


async def client(connections, options):
    """Opens each connection when its turn comes, to another server; whether all went as before."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    players, troubles = set(), []
    for connection in connections:
        due = began + (connection.begin["at"] - connections[0].begin["at"]) / 1e9 / options.speed
        await asyncio.sleep(max(0.0, due - loop.time()))
        task = asyncio.create_task(call(connection, options, troubles))
        players.add(task)
        task.add_done_callback(players.discard)
    while players:
        await asyncio.wait(players)
    return not troubles


class Once(connect):
    """A call that is not led elsewhere: the server that is named is the one that is asked."""

    def process_redirect(self, answer):
        return answer


async def call(connection, options, troubles):
    begin, player = connection.begin, Player(connection, "client", options)
    security = {}
    if options.insecure and options.url.startswith("wss:"):
        security["ssl"] = ssl.create_default_context()
        security["ssl"].check_hostname, security["ssl"].verify_mode = False, ssl.CERT_NONE
    try:
        ws = await Once(
            options.url.rstrip("/") + begin["path"],
            additional_headers=[tuple(header) for header in begin["headers"]],
            subprotocols=begin["subprotocols"] or None,
            compression="deflate" if begin["deflate"] else None,
            user_agent_header=None,
            ping_interval=None,
            max_size=None,
            proxy=None,
            **security,
        )
    except (OSError, InvalidHandshake, InvalidURI, ValueError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        is_same = status is not None and status == begin["status"]
        print(f"{connection.number}: not opened: {words(error)}{', as before' if is_same else ''}", flush=True)
        if not is_same:
            troubles.append(connection.number)
        return
    await player.play(ws)
    if player.trouble:
        troubles.append(connection.number)


async def server(connections, options):
    """Answers whoever asks for a path with what was said there, connection by connection, and then from the first on."""
    by_path = collections.defaultdict(collections.deque)
    for connection in connections:
        by_path[connection.begin["path"]].append(connection)

    def take(ws, request):
        turns = by_path.get(request.path)
        if not turns:
            return ws.respond(http.HTTPStatus.NOT_FOUND, "nothing was said here\n")
        ws.recorded = turns[0]
        turns.rotate(-1)
        status = ws.recorded.begin["status"]
        if status in (None, 101):
            return None
        response = ws.respond(http.HTTPStatus.BAD_REQUEST, "")
        response.status_code, response.reason_phrase = status, ws.recorded.begin["reason"]
        return dress(response, ws.recorded)

    def dress(response, connection):
        for name, text in connection.begin["answer"]:
            response.headers[name] = text
        return response

    def lead(ws, _, response):
        return dress(response, ws.recorded) if response.status_code == 101 else response

    def agree(ws, offered):
        chosen = ws.recorded.begin["subprotocol"]
        return chosen if chosen in offered else None

    async def answer(ws):
        await Player(ws.recorded, "server", options).play(ws)

    async with serve(
        answer,
        options.host,
        options.port,
        process_request=take,
        process_response=lead,
        select_subprotocol=agree,
        ping_interval=None,
        max_size=None,
    ) as listening:
        for socket in listening.sockets:
            host, port = socket.getsockname()[:2]
            print(f"listening on ws://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
        await asyncio.get_running_loop().create_future()


def show(connections):
    for connection in connections:
        print(json.dumps({"connection": connection.number, "lines": len(connection.places), **connection.begin}))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = options.add_subparsers(dest="what", required=True, metavar="client|server|list")
    as_client = what.add_parser("client", help="say what the clients said, to a server")
    as_client.add_argument("url", help="the server, as ws://HOST:PORT; paths are those of the capture")
    as_client.add_argument("--insecure", action="store_true", help="believe any certificate")
    as_server = what.add_parser("server", help="say what the servers said, to whoever connects")
    as_server.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    as_server.add_argument("--port", type=int, default=8765, help="the port (8765); 0: any that is free")
    for side in (as_client, as_server):
        side.add_argument("--speed", type=float, default=1.0, help="so many times as fast")
        side.add_argument("--in-step", action="store_true", help="wait for what the other side had said by then")
    for mode in (as_client, as_server, what.add_parser("list", help="show what is in here")):
        mode.add_argument("--conn", type=int, action="append", default=[], help="only this connection; also several times")
    options = options.parse_args()
    if getattr(options, "speed", 1.0) <= 0:
        sys.exit("--speed is more than 0")
    connections = load(options.conn)
    try:
        if options.what == "list":
            show(connections)
        elif options.what == "server":
            asyncio.run(server(connections, options))
        elif not asyncio.run(client(connections, options)):
            sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
