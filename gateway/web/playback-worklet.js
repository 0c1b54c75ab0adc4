// Runs on the audio thread: plays parts of answers one after the other without a gap, and counts what it has
// played of each. Because it owns the queue, a busy page cannot make it stumble.

// So much must have come before a part begins, or goes on after it ran dry.
const kPrebufferSamples = 2400;  // 100 ms.
const kProgressQuanta = 8;       // 43 ms at 24 kHz.

class PlaybackProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.parts = [];  // {key, chunks, offset, queued, played, complete}, in playing order.
    this.sounding = false;  // The page knows of something that is being played.
    this.flowing = false;   // The last quantum was full.
    this.flushing = undefined;
    this.quanta = 0;
    this.energy = 0;
    this.port.onmessage = ({data}) => this.command(data);
  }

  command(message) {
    if (message.type === 'audio') {
      const part = this.partOf(message.key);
      part.chunks.push(message.pcm);
      part.queued += message.pcm.length;
    } else if (message.type === 'complete') {
      this.complete(message.key);
    } else if (message.type === 'flush') {
      this.flushing = {id: message.id};
    }
  }

  // One that is not here had no audio, or was played or flushed before it was known to be complete.
  complete(key) {
    const part = this.parts.find((each) => each.key === key);
    if (part) {
      part.complete = true;
    }
  }

  partOf(key) {
    let part = this.parts.find((each) => each.key === key);
    if (!part) {
      part = {key, chunks: [], offset: 0, queued: 0, played: 0, complete: false};
      this.parts.push(part);
    }
    return part;
  }

  process(_, [output]) {
    const out = output[0];
    const count = this.mayPlay() ? this.fill(out) : 0;
    if (this.flushing) {
      this.finishFlush(out);
    } else {
      this.reportAfter(out, count);
    }
    return true;
  }

  // A part that is complete plays whatever it has; one with successors is.
  mayPlay() {
    const [part] = this.parts;
    if (!part) {
      return false;
    }
    return part.complete || this.parts.length > 1 || part.queued >= (this.flowing ? 1 : kPrebufferSamples);
  }

  fill(out) {
    let at = 0;
    while (at < out.length && this.parts.length > 0) {
      const [part] = this.parts;
      at += this.copy(part, out, at);
      if (part.queued > 0) {
        break;  // `out` is full.
      }
      if (!part.complete && this.parts.length === 1) {
        break;  // More of it is still to come.
      }
      this.parts.shift();
      this.port.postMessage({type: 'progress', key: part.key, played: part.played, ended: true, level: 0});
    }
    return at;
  }

  copy(part, out, from) {
    let at = from;
    while (at < out.length && part.chunks.length > 0) {
      const [chunk] = part.chunks;
      const count = Math.min(out.length - at, chunk.length - part.offset);
      for (let i = 0; i < count; ++i) {
        out[at + i] = chunk[part.offset + i] / 32768;
      }
      at += count;
      part.offset += count;
      if (part.offset === chunk.length) {
        part.chunks.shift();
        part.offset = 0;
      }
    }
    part.queued -= at - from;
    part.played += at - from;
    return at - from;
  }

  // The last quantum fades out, because a hard cut clicks.
  finishFlush(out) {
    for (let i = 0; i < out.length; ++i) {
      out[i] *= 1 - i / out.length;
    }
    const played = this.parts.map((part) => ({key: part.key, played: part.played}));
    this.parts = [];
    this.flowing = false;
    this.setSounding(false);
    this.port.postMessage({type: 'flushed', id: this.flushing.id, played});
    this.flushing = undefined;
  }

  reportAfter(out, count) {
    for (let i = 0; i < count; ++i) {
      this.energy += out[i] * out[i];
    }
    if (this.parts.length === 0) {
      this.setSounding(false);
    } else if (count > 0) {
      this.setSounding(true);
    }
    if (this.flowing && this.parts.length > 0 && count < out.length) {
      this.port.postMessage({type: 'dry'});
    }
    this.flowing = count === out.length;
    this.quanta += 1;
    if (this.quanta >= kProgressQuanta) {
      this.reportProgress(out.length);
    }
  }

  reportProgress(quantum) {
    const [part] = this.parts;
    if (part) {
      const level = Math.sqrt(this.energy / (this.quanta * quantum));
      this.port.postMessage({type: 'progress', key: part.key, played: part.played, ended: false, level});
    }
    this.quanta = 0;
    this.energy = 0;
  }

  setSounding(sounding) {
    if (sounding !== this.sounding) {
      this.sounding = sounding;
      this.port.postMessage({type: sounding ? 'started' : 'stopped'});
    }
  }
}

registerProcessor('playback', PlaybackProcessor);
