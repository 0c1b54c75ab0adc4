// A WebSocket relay that does one thing wrong, to see whether a tool that watches for it notices.
import WebSocket, {WebSocketServer} from 'ws';

import {pause} from './wait.mjs';

const kDelta = '"type":"response.output_audio.delta"';
const kVictim = 5;  // The audio that is meddled with, counted from 1, of each session.

// What is sent to the client instead of the victim; `next` is then sent after the one that follows.
const kDeeds = {
  drop: () => ({now: []}),
  duplicate: (text) => ({now: [text, text]}),
  swap: (text) => ({now: [], next: [text]}),
  corrupt: (text) => ({now: [withOneBitFlipped(text)]}),
};

export class Meddler {
  // `deed`: one of the above, `close` (code 1011), or `stall` (everything of the server waits `stallMs`).
  static async start(target, deed, {stallMs = 0} = {}) {
    const meddler = new Meddler(target, deed, stallMs);
    await new Promise((resolve) => meddler.server.once('listening', resolve));
    return meddler;
  }

  constructor(target, deed, stallMs) {
    this.deed = deed;
    this.stallMs = stallMs;
    this.upstreams = new Set();
    this.server = new WebSocketServer({host: '127.0.0.1', port: 0});
    this.server.on('connection', (client) => this.#relay(client, target));
  }

  get url() {
    return `ws://127.0.0.1:${this.server.address().port}/v1/realtime`;
  }

  async stop() {
    for (const socket of [...this.server.clients, ...this.upstreams]) {
      socket.terminate();
    }
    await new Promise((resolve) => this.server.close(resolve));
  }

  #relay(client, target) {
    const upstream = new WebSocket(target, ['realtime'], {perMessageDeflate: false});
    this.upstreams.add(upstream);
    const early = [];
    const state = {deltas: 0, next: [], stalled: Promise.resolve()};
    client.on('message', (data) => (upstream.readyState === WebSocket.OPEN ? upstream.send(data.toString()) : early.push(data.toString())));
    upstream.on('open', () => early.forEach((text) => upstream.send(text)));
    upstream.on('message', (data) => this.#toClient(client, data.toString(), state));
    for (const [one, other] of [[client, upstream], [upstream, client]]) {
      one.on('error', () => {});
      one.on('close', () => other.close());
    }
  }

  #toClient(client, text, state) {
    const isVictim = text.includes(kDelta) && (state.deltas += 1) === kVictim;
    if (isVictim && this.deed === 'close') {
      client.close(1011, 'meddled with');
    } else if (isVictim && this.deed === 'stall') {
      state.stalled = pause(this.stallMs);
      state.stalled.then(() => client.send(text));
    } else if (isVictim) {
      const {now, next = []} = kDeeds[this.deed](text);
      now.forEach((each) => client.send(each));
      state.next = next;
    } else {
      const all = [text, ...state.next.splice(0)];
      state.stalled.then(() => all.forEach((each) => client.send(each)));
    }
  }
}

// In the middle of the audio; the envelope stays whole.
function withOneBitFlipped(text) {
  const at = text.lastIndexOf('"}') - 100;
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}
