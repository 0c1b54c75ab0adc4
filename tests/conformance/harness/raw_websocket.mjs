// A WebSocket session by hand: the upgrade, frames out as they are given, frames in strictly checked.
import {strict as assert} from 'node:assert';
import {createHash} from 'node:crypto';

import {close, kClose, kPong, kText, parseServerFrame, text} from './frames.mjs';
import {RawSocket} from './raw_socket.mjs';

export const kKey = 'dGhlIHNhbXBsZSBub25jZQ==';  // The RFC's own example, section 1.3.
const kGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const kUpgradeHeaders = {
  'Host': 'gateway', 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Key': kKey, 'Sec-WebSocket-Version': '13',
};

// `headers` change the usual ones: undefined leaves one out, an array repeats it.
export function upgradeRequest({path = '/v1/realtime', method = 'GET', version = '1.1', headers = {}} = {}) {
  const lines = Object.entries({...kUpgradeHeaders, ...headers})
      .flatMap(([name, value]) => [value].flat().filter((each) => each !== undefined).map((each) => `${name}: ${each}\r\n`));
  return `${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`;
}

export const acceptOf = (key) => createHash('sha1').update(key + kGuid).digest('base64');

// A client message that the gateway itself answers with an error event which repeats `id`: the session goes on.
export function probe(id, pad = '') {
  return JSON.stringify(pad === '' ? {event_id: id} : {event_id: id, pad});
}

// A probe of exactly that many bytes.
export function probeOfSize(id, bytes) {
  return probe(id, 'x'.repeat(bytes - probe(id, 'x').length + 1));
}

export class RawWebSocket {
  // Upgraded, and past the two events that begin a session.
  static async open(url, options) {
    const socket = await RawSocket.connect(url);
    socket.send(upgradeRequest(options));
    return RawWebSocket.opened(socket);
  }

  static async opened(socket) {
    const answer = await socket.response();
    assert.equal(answer.status, 101, answer.head + answer.body);
    const session = new RawWebSocket(socket, answer);
    await session.begun();
    return session;
  }

  constructor(socket, answer) {
    this.socket = socket;
    this.answer = answer;
  }

  async begun() {
    assert.equal((await this.event()).type, 'session.created');
    assert.equal((await this.event()).type, 'voicebridge.session.ready');
  }

  send(...frames) {
    this.socket.send(...frames);
  }

  async frame(ms) {
    const frame = await this.socket.until(parseServerFrame, 'a frame', ms);
    this.socket.take(frame.bytes);
    return frame;
  }

  async event(ms) {
    const {opcode, final, payload} = await this.frame(ms);
    assert.deepEqual({opcode, final}, {opcode: kText, final: true}, `an event, got ${payload.toString('latin1', 0, 200)}`);
    return JSON.parse(payload.toString());
  }

  // The gateway's answers to these probes come next, in this order.
  async expectEchoes(...ids) {
    for (const id of ids) {
      const event = await this.event();
      assert.deepEqual({type: event.type, event_id: event.error?.event_id}, {type: 'error', event_id: id}, JSON.stringify(event));
    }
  }

  async expectPongs(...payloads) {
    for (const payload of payloads) {
      const frame = await this.frame();
      assert.equal(frame.opcode, kPong, 'a pong');
      assert.deepEqual(frame.payload, Buffer.from(payload), 'with the payload of its ping');
    }
  }

  // The session is alive and nothing else has come: a probe is answered next.
  async expectAlive(id = 'still-alive') {
    this.send(text(probe(id)));
    await this.expectEchoes(id);
  }

  // The server's close frame comes next, then it ends its half of the connection.
  async expectClose(code) {
    const seen = [];
    let frame = await this.frame();
    while (frame.opcode !== kClose) {
      seen.push(frame);
      frame = await this.frame();
    }
    assert.equal(closeCode(frame.payload), code, `the close code; its reason: "${frame.payload.toString('utf8', 2)}"`);
    const end = await this.socket.toEnd();
    assert.deepEqual({how: end.how, after: end.bytes.length}, {how: 'fin', after: 0}, 'the server ends TCP, and says nothing after its close frame');
    this.socket.destroy();
    return {seen, reason: frame.payload.toString('utf8', 2)};
  }

  // The closing handshake, started by us.
  async closeWith(code, reason) {
    this.send(close(code, reason));
    return this.expectClose(code);
  }
}

function closeCode(payload) {
  return payload.length === 0 ? 1005 : payload.readUInt16BE(0);
}
