// A drain as a user sees it, in front of a gateway that says what each test wants.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {waitUntil} from '../process/harness.mjs';
import {objections, misfits} from './harness/inspection.mjs';
import {completed, interviewPages, kAssessment, kReport, lookAtEnd, shoot, started} from './harness/interview.mjs';

const onPage = interviewPages();
const assistant = {setUp: (gateway) => {
  gateway.profile = 'assistant';
}};
const draining = (ms) => ({type: 'voicebridge.session.draining', time_left_ms: ms});
const found = (state, report) => ({status: 200, body: {assessment_id: kAssessment, state, report}});

// What was recorded before is on its way for a moment; then nothing comes any more.
async function checkMicIsClosed(talk, gateway) {
  const sent = () => gateway.sentOf('input_audio_buffer.append').length;
  let before = -1;
  await waitUntil(async () => {
    const isQuiet = sent() === before;
    before = sent();
    await talk.page.waitForTimeout(300);  // An open microphone sends ten times as often.
    return isQuiet;
  }, {ms: 2000, what: 'the microphone to be closed', got: () => `${sent()} pieces of audio`});
}

test('an announced drain is shown with the seconds that are left, and the end with what it was', onPage(async (talk, gateway) => {
  await talk.start();
  gateway.send(draining(3400));
  const first = await talk.waitFor(({drain}) => drain !== '' && drain, 'the announcement');
  assert.match(first, /^The service is being updated\. This conversation ends soon\.\s*4 s$/);
  await talk.waitFor(({drain}) => /3 s$/.test(drain), 'the next second');
  assert.equal((await talk.look()).button, 'Hold to talk', 'there is time for another turn');
  const live = await talk.page.evaluate(() => [document.getElementById('drain-text').getAttribute('role'), document.getElementById('drain-clock').getAttribute('aria-hidden')]);
  assert.deepEqual(live, ['status', 'true'], 'it is read out once, not every second');
  gateway.endSession('draining', 1001);
  await talk.waitForPhase('ended');
  const seen = await talk.look();
  assert.match(seen.problem, /being updated.*had to end and stays here to read.*start a new one/s);
  assert.deepEqual([seen.drain, seen.button, gateway.sessions], ['', 'Start a new conversation', 1]);
  await talk.start();
  assert.deepEqual([(await talk.look()).problem, gateway.sessions], ['', 2]);
}, assistant));

test('a turn that is being spoken is handed over before the end, and no other begins', onPage(async (talk, gateway) => {
  await talk.start();
  await talk.button.hover();
  await talk.page.mouse.down();
  await gateway.receives('input_audio_buffer.append', 8);
  gateway.send(draining(1600));
  await gateway.receives('input_audio_buffer.commit');
  const seen = await talk.waitFor((now) => now.state === 'Ending' && now, 'the end to be near');
  assert.deepEqual([seen.hint, seen.button], ['The microphone is off; what you said is kept.', 'One moment']);
  await talk.page.mouse.up();
  await talk.page.mouse.down();
  await talk.page.keyboard.press(' ');
  await checkMicIsClosed(talk, gateway);
  await talk.page.mouse.up();
  assert.equal(gateway.sentOf('input_audio_buffer.commit').length, 1);
  gateway.endSession('draining', 1001);
  await talk.waitForPhase('ended');
}, assistant));

test('hands-free: what is being said is kept, and the microphone closes', onPage(async (talk, gateway) => {
  await talk.start();
  await gateway.receives('input_audio_buffer.append', 4);
  gateway.send({type: 'input_audio_buffer.speech_started', item_id: 'item_1', audio_start_ms: 0}, draining(500));
  await gateway.receives('input_audio_buffer.commit');
  await checkMicIsClosed(talk, gateway);
  assert.equal((await talk.look()).button, 'One moment');
  assert.equal(gateway.received.findLastIndex(({type}) => type === 'input_audio_buffer.append') < gateway.received.findIndex(({type}) => type === 'input_audio_buffer.commit'), true);
}, {...assistant, page: {query: {mode: 'hands-free'}}}));

test('hands-free, in silence: nothing is handed over', onPage(async (talk, gateway) => {
  await talk.start();
  await gateway.receives('input_audio_buffer.append', 4);
  gateway.send(draining(0));
  await talk.waitFor(({state}) => state === 'Ending', 'the end to be near');
  await checkMicIsClosed(talk, gateway);
  assert.deepEqual(gateway.sentOf('input_audio_buffer.commit'), []);
}, {...assistant, page: {query: {mode: 'hands-free'}}}));

test('a drain that was called off is forgotten, and the microphone comes back', onPage(async (talk, gateway) => {
  await talk.start();
  await talk.page.clock.install();
  gateway.send(draining(500));
  await talk.waitFor(({state}) => state === 'Ending', 'the end to be near');
  await talk.page.clock.runFor(6000);
  const seen = await talk.waitFor((now) => now.drain === '' && now, 'the announcement to be gone');
  assert.deepEqual([seen.state, seen.button], ['Ready', 'Hold to talk']);
}, assistant));

test('an interview whose assessment is under way: the report still comes, from elsewhere', onPage(async (talk, gateway) => {
  await talk.start();
  gateway.send(started);
  await talk.waitForPhase('assessing');
  gateway.send(draining(2000));
  await talk.waitFor(({drain}) => /your report does not depend on it/.test(drain), 'the announcement');
  const states = ['pending', 'pending', 'running'];
  gateway.report = () => (states.length > 0 ? found(states.shift()) : found('completed', kReport));
  gateway.endSession('draining', 1001);
  const waiting = await waitUntil(async () => {
    const seen = await lookAtEnd(talk);
    return /Your report still comes/.test(seen.hint) && seen;
  }, {ms: 5000, what: 'what becomes of the report', every: 10});
  assert.equal(await talk.phase(), 'assessing');
  assert.ok(waiting.steps.length === 3 && waiting.buttons.includes('Start a new interview'), 'whoever does not want to wait need not');
  assert.equal((await talk.look()).drain, '');
  await talk.waitForPhase('report', 20000);
  assert.equal((await lookAtEnd(talk)).domains.length, 5);
  assert.deepEqual([gateway.sessions, gateway.requests.length], [1, 4], 'no other interview was begun');
}));

test('an interview without an assessment ends without a report, and says so', onPage(async (talk, gateway) => {
  await talk.start();
  gateway.endSession('draining', 1001);
  await talk.waitForPhase('ended');
  assert.match((await talk.look()).problem, /The interview had to end before its report/);
  assert.deepEqual(gateway.requests, []);
}));

test('a report that is there does not mind a drain', onPage(async (talk, gateway) => {
  await talk.start();
  gateway.send(started, completed());
  await talk.waitForPhase('report');
  gateway.send(draining(1000));
  gateway.endSession('draining', 1001);
  await waitUntil(() => !gateway.isConnected, {ms: 5000, what: 'the end of the connection'});
  assert.equal(await talk.phase(), 'report');
}));

test('a service that takes no conversations is named as that, and asked again when it said, not before', onPage(async (talk, gateway) => {
  gateway.refusal = {status: 503, retryAfter: '2'};
  await talk.button.click();
  const seen = await talk.waitFor((now) => now.problem !== '' && now, 'the problem to be said');
  assert.match(seen.problem, /takes no new conversations right now/);
  assert.match(seen.hint, /Trying again/);
  gateway.refusal = undefined;
  await talk.waitForPhase('listening', 8000);
  const [first, second, ...more] = gateway.upgrades;
  assert.ok(second - first >= 2000 && second - first < 5000, `${Math.round(second - first)} ms`);
  assert.deepEqual([more, gateway.sessions], [[], 1]);
}, assistant));

test('it is not asked for ever, and a link that opens nothing is not tried again', onPage(async (talk, gateway) => {
  gateway.refusal = {status: 503, retryAfter: '1'};
  await talk.page.clock.install();
  await talk.button.click();
  await waitUntil(async () => {
    await talk.page.clock.fastForward(10000);
    return await talk.phase() === 'error';
  }, {ms: 15000, what: 'the tries to end', every: 50});
  const seen = await talk.look();
  assert.match(seen.problem, /takes no new conversations/);
  assert.deepEqual([seen.button, gateway.upgrades.length], ['Try again', 7]);
  gateway.refusal = {status: 401};
  await talk.button.click();
  await talk.waitFor(({problem}) => /This link opens no conversation here.*Ask whoever gave it to you/s.test(problem), 'the refusal');
  await talk.page.clock.fastForward(60000);
  assert.deepEqual([await talk.phase(), gateway.upgrades.length], ['error', 8]);
}, assistant));

for (const [width, colorScheme] of [[320, 'light'], [320, 'dark'], [1280, 'light']]) {
  test(`a drain fits, and can be read by everybody: ${width} px, ${colorScheme}`, onPage(async (talk, gateway) => {
    const check = async (when) => {
      assert.deepEqual([await objections(talk), await misfits(talk)], [[], []], when);
      await shoot(talk, `drain-${when}-${width}-${colorScheme}`);
    };
    await talk.start();
    gateway.speak('resp_1', 'Tell me about your weekend.', 100);
    await talk.waitFor(({conversations: [turns]}) => turns.length === 1, 'the answer');
    gateway.send(draining(125000));
    await talk.waitFor(({drain}) => /2:0\d$/.test(drain), 'the announcement');
    await check('announced');
    gateway.send(draining(900));
    await talk.waitFor(({state}) => state === 'Ending', 'the end to be near');
    await check('near');
    gateway.endSession('draining', 1001);
    await talk.waitForPhase('ended');
    await check('over');
    await talk.start();
    gateway.send(started);
    await talk.waitForPhase('assessing');
    gateway.report = found('running');
    gateway.endSession('draining', 1001);
    await waitUntil(async () => /still comes/.test((await lookAtEnd(talk)).hint), {ms: 5000, what: 'the hint', every: 20});
    await check('assessing');
  }, {page: {colorScheme, viewport: {width, height: 720}}}));
}
