// deploy/demo as its user sees it: what it prints, and the programs that it has started.
import {strict as assert} from 'node:assert';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import {exists, ManagedProcess, root} from './process.mjs';
import {waitUntil} from './wait.mjs';

export const kOurs = ['gateway', 'worker-1', 'worker-2'];

// Children of a process: process id and process session.
function childrenOf(pid) {
  const rows = execFileSync('ps', ['-o', 'pid=,sid=,args=', '--ppid', String(pid)], {encoding: 'utf8'}).trim().split('\n');
  return rows.map((row) => {
    const [, id, session, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row);
    return {pid: Number(id), session: Number(session), args};
  });
}

export const pidFile = (name) => path.join(root, 'run', `${name}.pid`);

// A demo that is up: `printed(expression)` is what it has printed; its children.
export async function withDemo(body) {
  const demo = new ManagedProcess('demo', path.join(root, 'deploy/demo'), [], {cwd: root});
  try {
    await waitUntil(() => {
      assert.ok(demo.running, `the demo ended: ${demo.text()}`);
      return demo.text('out').includes('Ctrl+C');
    }, {ms: 600000, every: 50, what: 'the demo to say how it is ended', got: () => demo.text()});
    const printed = (expression) => {
      const [, ...found] = expression.exec(demo.text('out'));
      return found.length > 1 ? found : found[0];
    };
    const children = childrenOf(demo.pid);
    await body({demo, printed, children});
    await waitUntil(() => children.every(({pid}) => !exists(pid)), {ms: 2000, what: 'all children to be gone', got: () => JSON.stringify(children.filter(({pid}) => exists(pid)))});
    assert.deepEqual(kOurs.filter((name) => fs.existsSync(pidFile(name))), [], 'no pid file is left');
  } finally {
    demo.kill('SIGTERM');
    await demo.exited;
  }
}
