// The README's first command.
import {strict as assert} from 'node:assert';
import {execFileSync} from 'node:child_process';
import path from 'node:path';
import test from 'node:test';

import {exists, ManagedProcess, patience, request, root, run, waitUntil} from './harness.mjs';

// Children of the demo: process id and process session.
function childrenOf(pid) {
  const rows = execFileSync('ps', ['-o', 'pid=,sid=,args=', '--ppid', String(pid)], {encoding: 'utf8'}).trim().split('\n');
  return rows.map((row) => {
    const [, id, session, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row);
    return {pid: Number(id), session: Number(session), args};
  });
}

test('deploy/demo comes up, holds a conversation, and one SIGINT ends all of it cleanly', {timeout: 900000}, async () => {
  const demo = new ManagedProcess('demo', path.join(root, 'deploy/demo'), [], {cwd: root});
  try {
    const command = await waitUntil(() => {
      assert.ok(demo.running, `the demo ended: ${demo.text()}`);
      return /\b(\S*voicebridgectl) (talk ws:\S+ \S+ --out=\S+)/.exec(demo.text('out'));
    }, {ms: 600000, every: 50, what: 'the demo to print a talk command', got: () => demo.text()});
    const children = childrenOf(demo.pid);
    const programs = children.filter(({args}) => /bin\/(voicebridge-|realtime-simulator)/.test(args));
    assert.equal(programs.length, 4, JSON.stringify(children));
    programs.forEach(({pid, session}) => assert.equal(session, pid, 'leads a process session of its own'));

    const [, url] = /Open (http:\S+) in a browser/.exec(demo.text('out'));
    const page = await request(url);
    assert.equal(page.status, 200);
    assert.match(page.body, /<script type="module" src="app.js">/, 'the page is served');

    const talk = await run(path.join(root, command[1]), command[2].split(' '), {cwd: root, ms: 30000});
    assert.equal(talk.code, 0, talk.stderr);
    assert.match(talk.stdout, /I spoke for \d/, 'the transcript is shown');
    assert.match(talk.stdout, /I heard you speak/, 'the reply is shown');
    await waitUntil(() => /worker-\d session\.\w+/.test(demo.text('out')), {ms: 5000, what: 'the session to show up in the live summary', got: () => demo.text('out')});

    const exit = await demo.stop('SIGINT', 5000);
    assert.equal(exit.code, 0, demo.text());
    assert.ok(exit.ms <= 3500 * patience, `took ${Math.round(exit.ms)} ms`);
    await waitUntil(() => children.every(({pid}) => !exists(pid)), {ms: 2000, what: 'all children to be gone', got: () => JSON.stringify(children.filter(({pid}) => exists(pid)))});
  } finally {
    demo.kill('SIGTERM');
    await demo.exited;
  }
});
