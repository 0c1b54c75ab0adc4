#!/usr/bin/env python3
"""A client over python3-websockets: one spoken turn and what else RFC 6455 offers. Prints what it saw as JSON.

    realtime_peer.py URL SPEECH.pcm realtime|voicebridge.binary.v1
"""
import asyncio
import base64
import hashlib
import json
import struct
import sys

import websockets

FRAME_BYTES = 40 * 48  # 40 ms.
INPUT_AUDIO = 1
OUTPUT_AUDIO = 2


class Peer:
    def __init__(self, socket, binary):
        self.socket = socket
        self.binary = binary
        self.audio = {}

    async def send(self, **event):
        await self.socket.send(json.dumps(event))

    async def event(self, *types):
        """The next event of one of these types; audio on the way is collected."""
        while True:
            message = await self.socket.recv()
            if isinstance(message, bytes):
                self.collect(*read_audio(message))
                continue
            event = json.loads(message)
            if event["type"] == "response.output_audio.delta":
                self.collect(event["item_id"], base64.b64decode(event["delta"]))
            if event["type"] in types:
                return event

    def collect(self, item_id, pcm):
        self.audio[item_id] = self.audio.get(item_id, b"") + pcm

    async def say(self, pcm):
        for at in range(0, len(pcm), FRAME_BYTES):
            frame = pcm[at:at + FRAME_BYTES]
            if self.binary:
                await self.socket.send(struct.pack("<BBH", INPUT_AUDIO, 0, 4) + frame)
            else:
                await self.send(type="input_audio_buffer.append", audio=base64.b64encode(frame).decode())
        await self.send(type="input_audio_buffer.commit")
        await self.send(type="response.create")
        return (await self.event("response.done"))["response"]


def read_audio(message):
    """(item id, PCM16) of an output audio frame."""
    kind, _, header, _, _, _, response_length, item_length = struct.unpack_from("<BBHHHIHH", message)
    if kind != OUTPUT_AUDIO:
        raise ValueError(f"a frame of kind {kind}")
    names = message[16:header]
    return names[response_length:response_length + item_length].decode(), message[header:]


async def echoed(peer, message, event_id):
    """The gateway answers an event without a type by an error that names it."""
    await peer.socket.send(message)
    return (await peer.event("error"))["error"]["event_id"] == event_id


async def converse(url, pcm, subprotocol):
    seen = {}
    async with websockets.connect(url, subprotocols=[subprotocol], max_size=None) as socket:
        peer = Peer(socket, binary=subprotocol != "realtime")
        await peer.event("voicebridge.session.ready")
        seen["subprotocol"] = socket.subprotocol
        seen["extensions"] = [extension.name for extension in socket.extensions]
        await asyncio.wait_for(await socket.ping(b"from python"), 5)
        seen["pong"] = True
        large = json.dumps({"event_id": "large", "pad": "x" * (12 << 20)})
        seen["large"] = await echoed(peer, large, "large")
        pieces = json.dumps({"event_id": "stück-안녕", "pad": "grüß" * 1000}, ensure_ascii=False)
        seen["fragmented"] = await echoed(peer, [pieces[at:at + 100] for at in range(0, len(pieces), 100)], "stück-안녕")
        await peer.send(type="session.update", session={"type": "realtime", "instructions": "long " * 60000})
        seen["instructions"] = len((await peer.event("session.updated"))["session"]["instructions"])
        response = await peer.say(pcm)
        item = response["output"][0]["id"]
        seen["turn"] = {
            "status": response["status"], "item_id": item, "bytes": len(peer.audio[item]),
            "sha256": hashlib.sha256(peer.audio[item]).hexdigest(),
        }
        await socket.close(4321, "genug für heute")
        seen["close"] = {"code": socket.close_rcvd.code, "handshake": socket.close_rcvd is not None and socket.close_sent is not None}
    return seen


def main():
    url, file, subprotocol = sys.argv[1:]
    with open(file, "rb") as speech:
        pcm = speech.read()
    print(json.dumps(asyncio.run(asyncio.wait_for(converse(url, pcm, subprotocol), 60))))


main()
