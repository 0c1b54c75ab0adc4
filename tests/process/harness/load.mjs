// Many light sessions that send frames at the pace of speech and count what the echoing upstream returns.
import WebSocket from 'ws';

import {silence} from './audio.mjs';
import {patience} from './process.mjs';
import {pause, waitUntil} from './wait.mjs';

const kFrameMs = 40;
const kStallMs = 10;  // While frames are sent this process does something at least every two.
const kDelta = Buffer.from('"response.output_audio.delta"');
const kReady = Buffer.from('"voicebridge.session.ready"');

export class EchoLoad {
  // `count` sessions that are ready.
  static async start(url, count) {
    const load = new EchoLoad();
    for (let i = 0; i < count; ++i) {
      load.sessions.push(new EchoSession(url, load.pulse));
    }
    await waitUntil(() => load.sessions.every((session) => session.ready), {
      ms: 20000 * patience, what: `${count} sessions to be ready`,
      got: () => `${load.sessions.filter((session) => session.ready).length} are, ${load.sessions.find((session) => session.failure)?.failure ?? 'none failed'}`,
    });
    return load;
  }

  constructor() {
    this.sessions = [];
    this.pulse = new Pulse();
  }

  // Each session sends 25 frames of 1920 bytes a second, spread evenly over the 40 ms between them.
  async run(ms) {
    const start = performance.now();
    this.reset();
    const every = kFrameMs / this.sessions.length;
    const total = Math.floor(ms / every);
    for (let sent = 0; sent < total;) {
      this.pulse.beat();
      const due = Math.min(total, Math.floor((performance.now() - start) / every));
      for (; sent < due; ++sent) {
        this.sessions[sent % this.sessions.length].sendFrame();
      }
      await pause(1);
    }
    return {frames: total, seconds: (performance.now() - start) / 1000};
  }

  reset() {
    this.pulse.begin();
    for (const session of this.sessions) {
      session.latencies = [];
      session.longest = 0;
      session.sentAt = [];
      session.echoes = 0;
    }
  }

  get echoes() {
    return this.sessions.reduce((sum, session) => sum + session.echoes, 0);
  }

  // Every frame came back.
  async settle(frames, ms = 5000) {
    const areBack = () => {
      this.pulse.beat();
      return this.echoes >= frames;
    };
    await waitUntil(areBack, {ms: ms * patience, every: 2, what: `${frames} echoes`, got: () => `${this.echoes}`});
  }

  latency(quantile) {
    const all = this.sessions.flatMap((session) => session.latencies).sort((a, b) => a - b);
    return all[Math.min(all.length - 1, Math.floor(all.length * quantile))];
  }

  // Several short runs: the median of their p99, so that one hiccup of the machine does not decide, and the longest
  // that any frame was away, without the time in which this process itself was not running.
  async measure(runs, ms) {
    const p99 = [];
    let longest = 0;
    for (let i = 0; i < runs; ++i) {
      const {frames} = await this.run(ms);
      await this.settle(frames);
      p99.push(this.latency(0.99));
      longest = Math.max(longest, ...this.sessions.map((session) => session.longest));
    }
    return {p99: median(p99), longest};
  }

  stop() {
    for (const session of this.sessions) {
      session.socket.terminate();
    }
  }
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

// How long this process has stood still.
class Pulse {
  stalledMs = 0;
  last = 0;

  begin() {
    this.last = performance.now();
  }

  beat() {
    const now = performance.now();
    this.stalledMs += now - this.last > kStallMs ? now - this.last : 0;
    this.last = now;
  }
}

class EchoSession {
  constructor(url, pulse) {
    this.pulse = pulse;
    this.ready = false;
    this.latencies = [];
    this.sentAt = [];
    this.echoes = 0;
    this.append = JSON.stringify({type: 'input_audio_buffer.append', audio: silence(kFrameMs).toString('base64')});
    this.socket = new WebSocket(new URL('/v1/realtime', url), {perMessageDeflate: false});
    this.socket.on('message', (data) => this.#received(data));
    this.socket.on('error', (error) => {
      this.failure = error.message;
    });
    this.socket.on('close', (code) => {
      this.failure ??= `closed with ${code}`;
    });
  }

  sendFrame() {
    this.sentAt.push({at: performance.now(), stalledMs: this.pulse.stalledMs});
    this.socket.send(this.append);
  }

  #answered({at, stalledMs}) {
    this.pulse.beat();
    const latency = performance.now() - at;
    this.latencies.push(latency);
    this.longest = Math.max(this.longest, latency - (this.pulse.stalledMs - stalledMs));
  }

  // Echoes come in order, so the first that is out answers the first that was sent.
  #received(data) {
    const head = data.subarray(0, 256);
    if (head.includes(kDelta)) {
      this.echoes += 1;
      if (this.sentAt.length > 0) {
        this.#answered(this.sentAt.shift());
      }
    } else if (head.includes(kReady)) {
      this.ready = true;
    }
  }
}
