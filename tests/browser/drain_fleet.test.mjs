// A drain as a user sees it, with all processes behind the page.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {runBinary, waitUntil} from '../process/harness.mjs';
import {lookAtEnd} from './harness/interview.mjs';
import {withPage} from './harness/page.mjs';

const kSpeech = {speech: ['vm-goodbye', 300]};

async function drainBusyWorker(fleet) {
  const gauges = await fleet.gauges();
  const busy = fleet.workers.find((worker) => gauges[worker.name].sessions === 1);
  const drained = await runBinary('voicebridgectl', ['drain', await busy.listening('admin')]);
  assert.equal(drained.code, 0, `${drained.stdout}\n${drained.stderr}`);
}

test('a conversation whose worker is drained ends calmly, and the next one is with another', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await talk.start();
  await talk.turn();
  await drainBusyWorker(fleet);
  await talk.waitForPhase('ended');
  const seen = await talk.look();
  assert.match(seen.problem, /being updated.*start a new one/s);
  assert.equal(seen.button, 'Start a new conversation');
  assert.equal(seen.conversations[0].length, 2, 'what was said stays');
  await talk.start();
}));

test('the report of an interview comes although the worker that was writing it is drained', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-drain-'));
  const fleetOptions = {workerFlags: [`--store=sqlite:${dir}/store.db`]};
  try {
    await withPage({browser: kSpeech, page: {query: {profile: 'interview'}}, fleet: fleetOptions}, async (talk, fleet) => {
      await fleet.fault('responses_hang');
      await talk.start();
      await talk.turn();
      await talk.page.click('#finish');
      await talk.page.click('#finish-yes');
      await waitUntil(async () => (await lookAtEnd(talk)).now === 'Being written', {ms: 10000, what: 'the report to be written'});
      await drainBusyWorker(fleet);
      await waitUntil(async () => /Your report still comes/.test((await lookAtEnd(talk)).hint), {ms: 5000, what: 'the page to say what happens', got: () => talk.phase()});
      await fleet.clearFaults();
      await talk.waitForPhase('report', 30000);
      assert.equal((await lookAtEnd(talk)).domains.length, 5);
      assert.equal(talk.received.sockets.length, 1, 'by asking for it');
    });
  } finally {
    fs.rmSync(dir, {recursive: true, force: true});
  }
});
