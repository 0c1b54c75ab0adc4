// What people are told when something breaks, and that the page comes back by itself.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {ManagedProcess, waitUntil} from '../process/harness.mjs';
import {TalkPage, launch, webRoot, withPage} from './harness/page.mjs';

const kSpeech = {speech: ['vm-goodbye', 300]};
const kLong = 'This is a long answer, so that there is time to break something. '.repeat(6);

// The worker that has the session.
async function killBusyWorker(fleet) {
  const gauges = await fleet.gauges();
  const busy = fleet.workers.find((worker) => gauges[worker.name].sessions === 1);
  busy.kill('SIGKILL');
  await busy.exited;
  fleet.workers.splice(fleet.workers.indexOf(busy), 1);
}

test('a worker dies in the middle of an answer: said in plain words, and a new conversation works', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await fleet.script({replies: [kLong]});
  await talk.start();
  await talk.hold(1000);
  await talk.waitForPhase('speaking');
  await killBusyWorker(fleet);
  const {problem} = await talk.waitFor((seen) => seen.problem !== '' && seen, 'the problem to be said');
  assert.match(problem, /broke off because a part of the service failed/);
  const {notice, earlier} = await talk.waitFor((seen) => seen.phase === 'listening' && seen, 'the new conversation');
  assert.match(notice, /A new conversation was started\. The earlier one is kept here to read/);
  assert.equal(earlier, 1);
  await talk.turn();
  const {conversations: [before, after]} = await talk.look();
  assert.match(before[1].words, /^This is a long answer/, 'what was said before can still be read');
  assert.deepEqual(after.map(({who, state}) => [who, state]), [['user', 'final'], ['assistant', 'final']]);
  await talk.screenshot('new-conversation-1280-light');
}));

test('no server: said with what to do, tried again with pauses, and it works once the server is there', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  const address = new URL(fleet.httpUrl).host;
  await fleet.gateway.stop('SIGTERM');
  await talk.button.click();
  const first = await talk.waitFor((seen) => seen.problem !== '' && seen, 'the problem to be said');
  assert.match(first.problem, /cannot be reached.*Check your network/s);
  assert.equal(first.phase, 'connecting');
  const second = await talk.waitFor((seen) => /try 2/.test(seen.hint) && seen, 'the second try');
  assert.match(second.hint, /Trying again/);
  const workers = await Promise.all(fleet.workers.map((worker) => worker.listening('grpc')));
  fleet.gateway = ManagedProcess.binary('voicebridge-gateway', [
    `--listen=${address}`, '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0', `--workers=${workers.join(',')}`, '--insecure_no_auth', `--web_root=${webRoot}`,
  ], {label: 'gateway'});
  await talk.waitForPhase('listening', 20000);
  assert.equal((await talk.look()).problem, '');
  assert.equal((await talk.look()).notice, '', 'the first conversation is not called a new one');
  await talk.turn();
}));

test('a drained service says so, and what the server refuses for good is not tried again', () => withPage({browser: kSpeech, fleet: {refused: 'any'}}, async (talk, fleet) => {
  await fleet.fault('refuse', 401);
  await talk.button.click();
  await talk.waitForPhase('error');
  const seen = await talk.look();
  assert.match(seen.problem, /cannot be used right now.*Trying again will not help/s);
  assert.equal(seen.button, 'Try again');
  assert.equal(talk.received.sockets.length, 1);
  await fleet.clearFaults();
  await talk.start();
  await fleet.gateway.stop('SIGTERM');
  const end = await talk.waitFor((now) => now.problem !== '' && now, 'the end to be said');
  assert.match(end.problem, /being updated/);
  assert.deepEqual([end.phase, end.button], ['ended', 'Start a new conversation']);
  assert.equal(talk.received.sockets.length, 2, 'no other conversation is begun unasked');
}));

test('no microphone permission: plain words, and a page that can be used again', async () => withPage({browser: {microphone: 'deny'}}, async (talk, fleet) => {
  await talk.button.click();
  await talk.waitForPhase('error');
  const seen = await talk.look();
  assert.match(seen.problem, /microphone is not allowed.*address bar.*then try again/s);
  assert.equal(talk.received.sockets.length, 0, 'no session is spent on it');
  await talk.button.click();
  await talk.waitForPhase('error');
  const browser = await launch({dir: fleet.dir, ...kSpeech});
  try {
    const allowed = await TalkPage.open(browser, fleet);
    await allowed.page.evaluate(() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      let times = 0;
      navigator.mediaDevices.getUserMedia = (wanted) => (++times === 1 ? Promise.reject(new DOMException('busy', 'NotReadableError')) : ask(wanted));
    });
    await allowed.button.click();
    await allowed.waitForPhase('error');
    assert.match((await allowed.look()).problem, /used by another program/);
    await allowed.start();
    await allowed.turn();
  } finally {
    await browser.close();
  }
}));

test('the end by the user is final: one socket, closed, nothing tried again', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await talk.start();
  const token = await talk.page.evaluate(() => JSON.parse(sessionStorage.getItem('voicebridge.session')));
  assert.match(token.accessToken, /\S{20}/, 'the token is kept for later');
  await talk.page.locator('#end').click();
  await talk.waitForPhase('ended');
  assert.match((await talk.look()).problem, /has ended/);
  await fleet.sessionsGone();
  assert.equal((await fleet.ended('client_closed')).gateway, 1);
  await waitUntil(() => talk.page.evaluate(() => document.activeElement.id === 'talk'), {ms: 2000, what: 'the focus to be on the button'});
  await talk.start();
  await talk.turn();
}));
