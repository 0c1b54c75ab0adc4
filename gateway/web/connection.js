// One WebSocket to the gateway: which subprotocol was chosen, audio and events apart, a deadline for the start,
// a bound for what waits to be sent. It reports its end exactly once and is then used up.
import {appendEvent, decodeDelta, decodeFrame, encodeInputFrame, kBinaryProtocol, kJsonProtocol, kKeyProtocolPrefix} from './protocol.js';
import {refusalOf} from './refusal.js';

// The gateway gives itself 10 s to start a session.
const kReadyMaxMs = 15000;
// Eleven seconds of speech: a connection that is so far behind carries no conversation.
const kUnsentBytesMax = 512 * 1024;
const kBackoffMinMs = 500;
const kBackoffMaxMs = 8000;

// How long to wait before the attempt-th try (1, 2, ...): doubling, and spread so that browsers which lost the
// same server do not come back all at once.
export function backoffMs(attempt, random = Math.random) {
  const ceiling = Math.min(kBackoffMaxMs, kBackoffMinMs * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + random() / 2));
}

// The same for a server that has said when to come back: not before, and not all at once.
export function pauseMs(attempt, retryAfterMs = 0, random = Math.random) {
  return Math.max(backoffMs(attempt, random), Math.round(retryAfterMs * (1 + random() / 2)));
}

// The gateway that served this page, over the same security.
export function gatewayUrl(location, profile) {
  const url = new URL('/v1/realtime', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  if (profile) {
    url.searchParams.set('profile', profile);
  }
  return url.href;
}

export class Connection {
  #socket;
  #door;        // {url, key}
  #on;
  #timer;
  #opened = false;
  #readyAt;
  #reason;
  #over = false;

  // `on`: {event(json), audio(decoded), closed({opened, lastedMs, code, reason, cause, refusal})}. `key`: a client secret, or none.
  constructor({url, key, on}) {
    this.#door = {url, key};
    this.#on = on;
    const offered = [kBinaryProtocol, kJsonProtocol, ...(key ? [kKeyProtocolPrefix + key] : [])];
    this.#socket = new WebSocket(url, offered);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('open', () => {
      this.#opened = true;
    });
    this.#socket.addEventListener('message', ({data}) => this.#received(data));
    this.#socket.addEventListener('close', ({code}) => this.#closed(code));
    this.#timer = setTimeout(() => this.#giveUp('timeout'), kReadyMaxMs);
  }

  get isBinary() {
    return this.#socket.protocol === kBinaryProtocol;
  }

  // The session works: from now on only its end matters.
  markReady() {
    clearTimeout(this.#timer);
    this.#readyAt = performance.now();
  }

  send(event) {
    this.#sendData(JSON.stringify(event));
  }

  sendAudio(pcm) {
    this.#sendData(this.isBinary ? encodeInputFrame(pcm) : JSON.stringify(appendEvent(pcm)));
  }

  // By the user's wish: nothing is reported.
  close() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.close(1000);
  }

  #sendData(data) {
    if (this.#over || this.#socket.readyState !== WebSocket.OPEN) {
      return;
    }
    if (this.#socket.bufferedAmount > kUnsentBytesMax) {
      this.#giveUp('slow_uplink');
      return;
    }
    this.#socket.send(data);
  }

  #received(data) {
    if (this.#over) {
      return;
    }
    if (typeof data !== 'string') {
      this.#receivedAudio(decodeFrame(data));
      return;
    }
    const event = JSON.parse(data);
    if (event.type === 'response.output_audio.delta') {
      this.#receivedAudio(decodeDelta(event));
      return;
    }
    if (event.type === 'voicebridge.session.ended') {
      this.#reason = event.reason;
    }
    this.#on.event(event);
  }

  #receivedAudio(audio) {
    if (audio) {
      this.#on.audio(audio);
    }
  }

  async #closed(code) {
    const refusal = this.#opened ? undefined : await refusalOf(this.#door);
    this.#end({code, refusal});
  }

  #giveUp(cause) {
    this.#socket.close();
    this.#end({cause});
  }

  #end({code, cause, refusal}) {
    if (this.#over) {
      return;
    }
    this.#over = true;
    clearTimeout(this.#timer);
    const lastedMs = this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt;
    this.#on.closed({opened: this.#opened, lastedMs, code, reason: this.#reason, cause, refusal});
  }
}
