// A program that is process 1 of its own namespace, as in a container without an init.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';

import {ManagedProcess, patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kUnshare = ['--pid', '--mount-proc', '--fork', '--kill-child', ...(process.getuid() === 0 ? [] : ['--user', '--map-root-user'])];

// Why there cannot be one here; false: there can.
export const noPidOne = spawnSync('unshare', [...kUnshare, 'true']).status === 0 ? false : 'this machine refuses namespaces';

export class PidOne extends ManagedProcess {
  static async start(name, program, args, options) {
    const started = new PidOne(name, 'unshare', [...kUnshare, program, ...args], options);
    const children = `/proc/${started.pid}/task/${started.pid}/children`;
    const find = () => Number.parseInt(fs.readFileSync(children, 'utf8'), 10) || undefined;
    started.inner = await waitUntil(find, {ms: 5000 * patience, what: `${name} to be forked`});
    return started;
  }

  // As those see it who are outside.
  get signalled() {
    return this.inner;
  }

  // It is killed along with what waits for it.
  kill(signal) {
    if (signal === 'SIGKILL') {
      super.kill(signal);
    } else if (this.running) {
      process.kill(this.inner, signal);
    }
  }
}
