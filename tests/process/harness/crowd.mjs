// People who keep talking for as long as they are let: whoever is told that its server goes away calls again.
import WebSocket from 'ws';

import {silence} from './audio.mjs';
import {patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kFrameMs = 40;
const kAppend = JSON.stringify({type: 'input_audio_buffer.append', audio: silence(kFrameMs).toString('base64')});

export class Crowd {
  // Of `count` people; `pauseMs` between two frames of one.
  constructor(url, count, pauseMs = 200) {
    Object.assign(this, {url, pauseMs, troubles: [], calledAgain: 0, people: new Set()});
    this.timer = setInterval(() => this.#speak(), kFrameMs);
    this.grow(count);
  }

  grow(count) {
    for (let i = 0; i < count; ++i) {
      this.people.add(new Person(this));
    }
  }

  get ready() {
    return [...this.people].filter((person) => person.ready).length;
  }

  async allReady(ms = 20000) {
    await waitUntil(() => this.ready === this.people.size, {
      ms: ms * patience, what: `${this.people.size} sessions to be ready`, got: () => `${this.ready} are; ${this.troubles.slice(0, 3).join('; ')}`,
    });
  }

  // Whoever is here now is heard again: every one of these gets an echo of what it says from now on.
  async allHeard(people = [...this.people], ms = 5000) {
    const before = new Map(people.map((person) => [person, person.echoes]));
    const unheard = () => people.filter((person) => person.echoes === before.get(person) && this.people.has(person));
    await waitUntil(() => unheard().length === 0, {ms: ms * patience, what: 'an echo for everybody', got: () => `${unheard().length} of ${people.length} hear nothing`});
  }

  leave(person) {
    this.people.delete(person);
    person.socket.terminate();
  }

  stop() {
    clearInterval(this.timer);
    [...this.people].forEach((person) => this.leave(person));
  }

  // `person` was closed. Told in time, it calls again; anything else is a trouble.
  onClose(person, why) {
    if (!this.people.delete(person)) {
      return;
    }
    if (person.ended === 'draining') {
      this.calledAgain += 1;
    } else {
      this.troubles.push(why);
    }
    this.people.add(new Person(this));
  }

  // Spread evenly, so that the processes are not woken for all of them at once.
  #speak() {
    const beats = Math.max(1, Math.round(this.pauseMs / kFrameMs));
    this.beat = ((this.beat ?? 0) + 1) % beats;
    let i = 0;
    for (const person of this.people) {
      if (i++ % beats === this.beat && person.ready) {
        person.socket.send(kAppend);
      }
    }
  }
}

class Person {
  constructor(crowd) {
    this.echoes = 0;
    this.ready = false;
    this.ended = undefined;
    let failure;
    this.socket = new WebSocket(new URL('/v1/realtime', crowd.url), {perMessageDeflate: false, handshakeTimeout: 15000 * patience});
    this.socket.on('message', (data) => this.#received(data));
    this.socket.on('error', (error) => {
      failure = error.message;
    });
    this.socket.on('close', (code) => {
      this.ready = false;
      crowd.onClose(this, failure ?? `closed with ${code}, ended: ${this.ended}`);
    });
  }

  #received(data) {
    const head = data.subarray(0, 200);
    if (head.includes('"response.output_audio.delta"')) {
      this.echoes += 1;
    } else if (head.includes('"voicebridge.session.ready"')) {
      this.ready = true;
      this.sessionId = JSON.parse(data).session_id;
    } else if (head.includes('"voicebridge.session.ended"')) {
      this.ended = JSON.parse(data).reason;
    }
  }
}
