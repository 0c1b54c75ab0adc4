// Names that only the processes see that are started with it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {run} from './process.mjs';

const kMount = 'mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"';

export class Hosts {
  // Why this machine does not let us; undefined where it does.
  static async refusal() {
    const {code, stderr} = await run('unshare', ['--mount', 'true']);
    return code === 0 ? undefined : `mount namespaces are refused here: ${stderr}`;
  }

  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-hosts-'));
    // Nobody else is asked: a network's resolver may take its time.
    fs.writeFileSync(path.join(this.dir, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
  }

  // The addresses of a name, from now on.
  set(name, addresses) {
    fs.writeFileSync(path.join(this.dir, 'hosts'), addresses.map((address) => `${address} ${name}\n`).join(''));
  }

  // What a process is to be started with to see them.
  command(program, args) {
    return ['unshare', ['--mount', 'sh', '-c', kMount, this.dir, program, ...args]];
  }

  remove() {
    fs.rmSync(this.dir, {recursive: true});
  }
}
