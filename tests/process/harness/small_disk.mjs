// A disk that is full when a test wants it: a small file system in memory, in a mount namespace of its own, so that
// nothing of it is left on the machine.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {ManagedProcess, patience, run} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kSize = '4m';

export class SmallDisk {
  // Why this machine does not let us mount; undefined where it does.
  static async refusal() {
    const {code, stderr} = await run('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'voicebridge', '/mnt']);
    return code === 0 ? undefined : `file systems cannot be mounted here: ${stderr}`;
  }

  static async create() {
    const disk = new SmallDisk();
    await waitUntil(() => {
      assert.ok(disk.holder.running, disk.holder.text());
      return disk.holder.text('out').includes('mounted');
    }, {ms: 10000 * patience, what: 'the disk to be there'});
    return disk;
  }

  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-disk-'));
    const hold = `mount -t tmpfs -o size=${kSize} voicebridge '${this.dir}' && echo mounted && exec sleep infinity`;
    this.holder = new ManagedProcess('disk', 'unshare', ['--mount', 'sh', '-c', hold]);
  }

  // What a process is to be started with to see the disk, at `dir`.
  command(program, args) {
    return ['nsenter', [`--mount=/proc/${this.holder.pid}/ns/mnt`, program, ...args]];
  }

  // Not a byte more can be written ...
  fill() {
    const ballast = fs.openSync(this.#ballast, 'w');
    try {
      for (const size of [65536, 4096, 1]) {
        fillWith(ballast, Buffer.alloc(size));
      }
    } finally {
      fs.closeSync(ballast);
    }
  }

  // ... until now.
  free() {
    fs.rmSync(this.#ballast);
  }

  // As we see it from outside.
  get #ballast() {
    return `/proc/${this.holder.pid}/root${this.dir}/ballast`;
  }

  async stop() {
    this.holder.kill('SIGKILL');
    await this.holder.exited;
    fs.rmSync(this.dir, {recursive: true, force: true});
  }
}

function fillWith(file, chunk) {
  try {
    for (;;) {
      fs.writeSync(file, chunk);
    }
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  }
}
