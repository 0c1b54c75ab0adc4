// Calls into the system that do not return: a DNS that does not answer, a disk that does not write, a thread that does
// not come back. For programs that are started with `env`; see programs/stuck_calls.cc.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {binDir, patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

export class StuckCalls {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-stuck-'));
  }

  get env() {
    return {LD_PRELOAD: path.join(binDir, 'libstuck_calls.so'), STUCK_CALLS_DIR: this.dir};
  }

  // `key`: the host of a getaddrinfo, `fsync`, `write` or `clock_nanosleep`. What is called from now on does not return ...
  hold(key) {
    fs.writeFileSync(path.join(this.dir, key), '');
  }

  // ... until now.
  release(key) {
    fs.rmSync(path.join(this.dir, key), {force: true});
  }

  // That many calls have come since the first `hold` of the key, and did not return.
  async waiting(key, count = 1) {
    const file = path.join(this.dir, `${key}.waiting`);
    const calls = () => (fs.existsSync(file) ? fs.statSync(file).size : 0);
    await waitUntil(() => calls() >= count, {ms: 10000 * patience, what: `${count} calls of ${key} that do not return`, got: calls});
  }

  // Whatever is still held is let go.
  stop() {
    fs.rmSync(this.dir, {recursive: true, force: true});
  }
}
