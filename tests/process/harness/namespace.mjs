// A network namespace with a cable to ours that can be cut in one direction, silently: what is sent is lost on the way,
// and nobody is told.
import {strict as assert} from 'node:assert';
import {spawnSync} from 'node:child_process';

import {run} from './process.mjs';

// Of 198.18.0.0/15, which is set aside for tests of networks: a /30 for each cable.
const kFirstAddress = (198 << 24 >>> 0) + (18 << 16);
const kCables = 1 << 15;
const kNobody = '02:00:00:00:00:01';  // A frame to this address is none for whoever is at the other end.
let made = 0;
const present = new Set();

// The last resort: none outlives the test's process.
process.on('exit', () => present.forEach(({name}) => spawnSync('ip', ['netns', 'delete', name])));

const dotted = (address) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

async function ip(...args) {
  const {code, error, stderr} = await run('ip', args);
  assert.equal(code, 0, `ip ${args.join(' ')}: ${error ?? stderr}`);
}

export class Namespace {
  // Why this machine does not let us make namespaces; undefined where it does.
  static async refusal() {
    const {code, stderr} = await run('unshare', ['--net', 'true']);
    return code === 0 ? undefined : `network namespaces are refused here: ${stderr}`;
  }

  static async create() {
    const namespace = new Namespace();
    try {
      await namespace.#create();
    } catch (error) {
      await namespace.remove();
      throw error;
    }
    return namespace;
  }

  constructor() {
    made += 1;
    const cable = (process.pid * 8 + made) % kCables;
    this.name = `voicebridge-${process.pid}-${made}`;
    this.here = {device: `vb${process.pid}o${made}`, address: dotted(kFirstAddress + 4 * cable + 1), of: []};
    this.there = {device: `vb${process.pid}i${made}`, address: dotted(kFirstAddress + 4 * cable + 2), of: ['-n', this.name]};
  }

  async #create() {
    const {here, there} = this;
    present.add(this);
    await ip('netns', 'add', this.name);
    await ip('link', 'add', here.device, 'type', 'veth', 'peer', 'name', there.device, 'netns', this.name);
    for (const {device, address, of} of [here, there]) {
      await ip(...of, 'address', 'add', `${address}/30`, 'dev', device);
      await ip(...of, 'link', 'set', device, 'up');
    }
    await ip(...there.of, 'link', 'set', 'lo', 'up');
  }

  // What a process is to be started with to live in here.
  command(program, args) {
    return ['ip', ['netns', 'exec', this.name, program, ...args]];
  }

  // From now on nothing that we send arrives in here, or nothing from here arrives at ours.
  cutTo() {
    return this.#cut(this.here, this.there);
  }

  cutFrom() {
    return this.#cut(this.there, this.here);
  }

  async heal() {
    await run('ip', [...this.here.of, 'neighbour', 'flush', 'dev', this.here.device, 'nud', 'permanent']);
    await run('ip', [...this.there.of, 'neighbour', 'flush', 'dev', this.there.device, 'nud', 'permanent']);
  }

  // Its end of the cable goes with it, and so the other.
  async remove() {
    present.delete(this);
    await run('ip', ['netns', 'delete', this.name]);
  }

  #cut(from, to) {
    return ip(...from.of, 'neighbour', 'replace', to.address, 'lladdr', kNobody, 'nud', 'permanent', 'dev', from.device);
  }
}
