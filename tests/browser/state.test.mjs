// The page's state as a function of what happened, without a page.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {endingNames, endingOf} from '../../gateway/web/endings.js';
import {drainTexts, kNotices, kProblems, stateTexts} from '../../gateway/web/messages.js';
import {initialState, kRetriesMax, reduce} from '../../gateway/web/state.js';
import {actionOf} from '../../gateway/web/view.js';
import {root} from '../process/harness.mjs';

const run = (state, ...events) => events.reduce((before, event) => reduce(before, typeof event === 'string' ? {type: event} : event), state);
const talking = run(initialState, 'startAsked', 'microphoneReady', 'ready');
const free = run(initialState, {type: 'modeChosen', mode: 'free'}, 'startAsked', 'microphoneReady', 'ready');
const lost = {type: 'closed', opened: true, lastedMs: 0, code: 1011, reason: 'worker_lost'};

test('a start leads through microphone and server to listening', () => {
  assert.deepEqual([initialState.phase, actionOf(initialState)], ['idle', 'start']);
  const asking = run(initialState, 'startAsked');
  assert.deepEqual([asking.phase, asking.step, actionOf(asking)], ['connecting', 'microphone', 'wait']);
  assert.equal(run(asking, 'microphoneReady').step, 'server');
  assert.deepEqual([talking.phase, talking.notice], ['listening', null]);
});

test('a push-to-talk turn: listening, thinking, speaking, listening', () => {
  const phases = [];
  let state = talking;
  for (const type of ['pressed', 'released', 'responseCreated', 'playbackStarted', 'responseDone', 'playbackStopped']) {
    state = reduce(state, {type});
    phases.push(state.phase);
  }
  assert.deepEqual(phases, ['listening', 'thinking', 'thinking', 'speaking', 'speaking', 'listening']);
});

test('a pause of the playback inside an answer is thinking, not the end of it', () => {
  assert.equal(run(talking, 'pressed', 'released', 'responseCreated', 'playbackStarted', 'playbackStopped').phase, 'thinking');
});

test('an answer is over once it is both complete and played, in either order, and the hint is that of listening again', () => {
  const speaking = run(talking, 'pressed', 'released', 'responseCreated', 'playbackStarted');
  for (const [first, phase, second] of [['responseDone', 'speaking', 'playbackStopped'], ['playbackStopped', 'thinking', 'responseDone']]) {
    const half = run(speaking, first);
    assert.equal(half.phase, phase);
    const after = run(half, second);
    assert.deepEqual([after.phase, actionOf(after), stateTexts(after)], ['listening', actionOf(talking), stateTexts({...talking, greeted: true})]);
  }
});

test('speaking into an answer is listening at once, whatever still sounds', () => {
  const speaking = run(talking, 'pressed', 'released', 'responseCreated', 'playbackStarted');
  assert.deepEqual([speaking.phase, actionOf(speaking)], ['speaking', 'interrupt']);
  assert.equal(run(speaking, 'answerAbandoned', 'pressed').phase, 'listening');
});

test('a press that is too short asks to hold, and leaves nothing to wait for', () => {
  const state = run(talking, 'pressed', {type: 'released', tooShort: true});
  assert.deepEqual([state.phase, state.notice, state.awaiting], ['listening', 'holdToSpeak', false]);
  assert.equal(run(state, 'pressed').notice, null, 'the next press takes it back');
});

test('hands-free: the server says when the turn begins and ends; muting is said', () => {
  assert.equal(run(free, 'speechStarted').hearing, true);
  assert.equal(run(free, 'speechStarted', 'speechStopped').phase, 'thinking');
  const muted = run(free, 'muteToggled');
  assert.deepEqual([muted.muted, actionOf(muted), stateTexts(muted).name], [true, 'unmute', 'Muted']);
});

test('a failed answer is said and the conversation goes on', () => {
  const state = run(talking, 'pressed', 'released', 'responseCreated', {type: 'responseDone', failure: 'answerFailed'});
  assert.deepEqual([state.phase, state.notice], ['listening', 'answerFailed']);
});

test('a lost worker leads to a new conversation, which is called new', () => {
  const again = run(talking, lost);
  assert.deepEqual([again.phase, again.step, again.problem, again.attempt], ['connecting', 'waiting', 'worker_lost', 1]);
  const anew = run(again, 'retrying', 'ready');
  assert.deepEqual([anew.phase, anew.notice, anew.problem], ['listening', 'newConversation', null]);
});

test('a first connection that took two tries is not called a new conversation', () => {
  const state = run(initialState, 'startAsked', 'microphoneReady', {type: 'closed', opened: false, lastedMs: 0}, 'retrying', 'ready');
  assert.equal(state.notice, null);
});

test('one that the user starts anew is not called a replacement', () => {
  const state = run(talking, 'stopped', 'startAsked', 'microphoneReady', {type: 'closed', opened: false, lastedMs: 0}, 'retrying', 'ready');
  assert.equal(state.notice, null);
});

test('tries end: after the last one there is a button', () => {
  let state = run(initialState, 'startAsked', 'microphoneReady');
  for (let i = 0; i < kRetriesMax; ++i) {
    state = run(state, {type: 'closed', opened: false, lastedMs: 0});
    assert.equal(state.step, 'waiting');
    state = run(state, 'retrying');
  }
  state = run(state, {type: 'closed', opened: false, lastedMs: 0});
  assert.deepEqual([state.phase, state.problem, actionOf(state)], ['error', 'unreachable', 'retry']);
});

test('a conversation that breaks off at once each time uses up the tries; one that lasted does not', () => {
  let state = talking;
  for (let i = 0; i < kRetriesMax; ++i) {
    state = run(state, lost, 'retrying', 'ready');
  }
  assert.equal(run(state, lost).phase, 'error');
  assert.equal(run(state, {...lost, lastedMs: 60000}).attempt, 1);
});

test('every ending has an outcome and words', () => {
  const outcomes = {
    draining: 'ended', policy: 'error', upstream_refused: 'error', session_limit: 'ended', ended_by_operator: 'ended', slow_client: 'connecting', worker_lost: 'connecting',
  };
  for (const [reason, phase] of Object.entries(outcomes)) {
    assert.equal(run(talking, {...lost, reason}).phase, phase, reason);
  }
  for (const name of endingNames) {
    assert.ok(kProblems[name]?.title && kProblems[name]?.advice, `words for ${name}`);
  }
  assert.ok(kProblems.draining_interview.title && kProblems.draining_interview.advice);
  for (const kind of ['denied', 'none', 'busy', 'insecure', 'unsupported', 'unloaded', 'lost', 'unknown']) {
    assert.ok(kProblems[`microphone_${kind}`]?.advice, `words for ${kind}`);
  }
  for (const notice of ['holdToSpeak', 'newConversation', 'modeFixed', 'answerFailed', 'answerTooLong', 'slowAnswer']) {
    assert.ok(kNotices[notice], `words for ${notice}`);
  }
});

test('every reason that the gateway knows is known to the page', () => {
  const table = fs.readFileSync(path.join(root, 'common/core/end_reason.cc'), 'utf8');
  const words = [...table.matchAll(/\{v1::END_REASON_\w+, \d+, StatusCode::\w+, "(\w+)"\}/g)].map((match) => match[1]);
  assert.ok(words.length >= 17, `read ${words.length} reasons`);
  assert.deepEqual(words.filter((word) => !endingNames.includes(word)), []);
});

test('a drain: how long is left, then the microphone is closed; it ends with the conversation or by being called off', () => {
  const told = run(talking, {type: 'drainTold', seconds: 3}, {type: 'drainTold', seconds: 2});
  assert.deepEqual([told.phase, told.drain, actionOf(told)], ['listening', {seconds: 2, isLast: false}, 'hold']);
  const last = run(told, 'pressed', 'lastWords', {type: 'drainTold', seconds: 1});
  assert.deepEqual([last.drain, last.hearing, actionOf(last), stateTexts(last).name], [{seconds: 1, isLast: true}, true, 'wait', 'Ending']);
  assert.equal(run(last, {type: 'released', tooShort: false}).phase, 'thinking', 'the turn that was under way is handed over');
  const silent = run(free, 'speechStarted', {type: 'drainTold', seconds: 1}, 'lastWords');
  assert.deepEqual([silent.hearing, actionOf(silent)], [false, 'wait']);
  assert.deepEqual(run(last, 'drainCalledOff').drain, null);
  const ended = run(last, {...lost, reason: 'draining', code: 1001});
  assert.deepEqual([ended.phase, ended.problem, ended.drain, actionOf(ended)], ['ended', 'draining', null, 'again']);
  assert.equal(run(talking, {type: 'sessionBegan', profile: 'interview'}, {...lost, reason: 'draining'}).problem, 'draining_interview');
  for (const event of ['stopped', lost]) {
    assert.equal(run(told, event).drain, null);
  }
});

test('the time that a drain leaves, in words', () => {
  const clockOf = (seconds) => drainTexts({...talking, drain: {seconds}}).clock;
  assert.deepEqual([0, 9, 59, 60, 125].map(clockOf), ['0 s', '9 s', '59 s', '1:00', '2:05']);
  assert.equal(drainTexts(talking), undefined);
  assert.match(drainTexts({...talking, drain: {seconds: 1}}).text, /conversation ends soon/);
  assert.match(drainTexts({...talking, profile: 'interview', greeted: true, drain: {seconds: 1}}).text, /finish it now to get a report/);
  assert.match(drainTexts({...talking, phase: 'assessing', drain: {seconds: 1}}).text, /report does not depend on it/);
});

test('what an upgrade was answered decides whether to try again', () => {
  const refused = (status) => run(initialState, 'startAsked', 'microphoneReady', {type: 'closed', opened: false, lastedMs: 0, code: 1006, refusal: {status}});
  for (const [status, phase, problem] of [
    [503, 'connecting', 'busy'], [429, 'connecting', 'busy'], [401, 'error', 'not_admitted'], [403, 'error', 'not_admitted'], [426, 'connecting', 'unreachable'],
    [undefined, 'connecting', 'unreachable'],
  ]) {
    assert.deepEqual([refused(status).phase, refused(status).problem], [phase, problem], String(status));
  }
});

test('without a reason the close code decides, without an upgrade the service is unreachable', () => {
  const nameOf = (how) => endingOf({opened: true, ...how}).name;
  assert.equal(nameOf({code: 1001}), 'draining');
  assert.equal(nameOf({code: 1013}), 'no_worker');
  assert.equal(nameOf({code: 1006}), 'connection_lost');
  assert.equal(nameOf({code: 1006, opened: false}), 'unreachable');
  assert.equal(nameOf({code: 1006, cause: 'timeout'}), 'timeout');
  assert.equal(nameOf({code: 1011, reason: 'constructor'}), 'internal', 'a reason of nobody is not looked up in an object');
});

test('what comes late changes nothing once the user has ended it', () => {
  const ended = run(talking, 'stopped');
  for (const event of [lost, {type: 'playbackStarted'}, {type: 'responseCreated'}, {type: 'ready'}, {type: 'noticed', notice: 'offline'}, {type: 'drainTold', seconds: 3}, {type: 'lastWords'}]) {
    assert.deepEqual(reduce(ended, event), ended, event.type);
  }
  assert.throws(() => reduce(ended, {type: 'unheardOf'}), /unheardOf/);
});
