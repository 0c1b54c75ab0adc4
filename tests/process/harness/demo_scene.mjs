// Sessions of a running demo in the middle of whatever its user can bring about.
import fs from 'node:fs';
import path from 'node:path';

import {kStates} from './drain_states.mjs';
import {Fleet} from './fleet.mjs';
import {patience, root} from './process.mjs';
import {Scene} from './scene.mjs';
import {waitUntil} from './wait.mjs';

const kOrder = [  // What is over soon comes last.
  'idle', 'half an utterance uploaded', 'assessment hung', 'handshake pending', 'configured, not acknowledged', 'assistant speaking', 'turn held',
  'assessment retrying', 'summary speaking',
];

// One session in each state; all clients.
export async function inEachState(printed) {
  const fleet = new Fleet();
  fleet.simulatorUrl = `http://${printed(/simulator at (\S+?);/)}`;
  fleet.url = printed(/listens at +(ws:\/\/[^/\s]+)/);
  for (const name of kOrder) {
    const scene = new DemoScene(fleet);
    for (const flag of kStates[name].options?.simulatorFlags ?? []) {
      const [, fault, arg] = /^--fault=(\w+):?(\d+)?$/.exec(flag);
      await fleet.fault(fault, arg && Number(arg));
    }
    await kStates[name].reach(scene);
    await fleet.clearFaults();
  }
  return fleet;
}

class DemoScene extends Scene {
  count = 1;

  constructor(fleet) {
    super();
    this.fleet = fleet;
    this.loggedBefore = readLogs();
  }

  async connect(profile) {
    this.clients = [await this.fleet.connect({profile})];
    await this.introduce();
  }

  // In the workers' log files, since the scene began.
  async logged(event, count) {
    await waitUntil(() => countOf(event, readLogs()) - countOf(event, this.loggedBefore) >= count, {ms: 10000 * patience, what: `${count} lines ${event}`});
  }
}

function readLogs() {
  return ['worker-1', 'worker-2'].map((name) => fs.readFileSync(path.join(root, 'run', `${name}.log`), 'utf8')).join('\n');
}

function countOf(event, text) {
  return text.split(`"event":"${event}"`).length - 1;
}
