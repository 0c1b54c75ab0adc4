// What follows an interview's last turn: the state, asking by HTTP, what a report is read as; without a page.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {assessedSessions, keepAssessed, keepToken, tokenOf} from '../../gateway/web/credentials.js';
import {assessmentTexts, kFailures, stepTexts} from '../../gateway/web/interview-messages.js';
import {kInterviewChanges} from '../../gateway/web/interview-state.js';
import {noticeText} from '../../gateway/web/messages.js';
import {pointOf} from '../../gateway/web/radar.js';
import {ReportPoll} from '../../gateway/web/report-client.js';
import {readReport} from '../../gateway/web/report.js';
import {initialState, isAtRest, reduce} from '../../gateway/web/state.js';
import {actionOf} from '../../gateway/web/view.js';
import {kReport} from './harness/report_sample.mjs';

const run = (state, ...events) => events.reduce((before, event) => reduce(before, typeof event === 'string' ? {type: event} : event), state);
const began = {type: 'sessionBegan', profile: 'interview'};
const started = {type: 'assessmentStarted', id: 'a'};
const completed = {type: 'assessmentCompleted', id: 'a', content: {}, summary: 'Well done.'};
const failed = {type: 'assessmentFailed', id: 'a', message: 'No.', retryable: true};
const lost = {type: 'closed', opened: true, lastedMs: 0, code: 1006};
const found = (state, content) => ({type: 'answered', id: 'a', state, content});
const talking = run(initialState, 'startAsked', 'microphoneReady', began, 'ready');
const assessing = run(talking, started);
const asking = run(assessing, lost);
const reported = run(assessing, completed);

test('an interview goes from talking to assessing to its report', () => {
  assert.deepEqual([assessing.phase, assessing.live, assessing.assessment.stage, isAtRest(assessing)], ['assessing', true, 'preparing', false]);
  const progress = (fields) => run(assessing, {type: 'assessmentProgress', ...fields}).assessment;
  assert.deepEqual(progress({stage: 'queued', position: 2}), {id: 'a', stage: 'queued', position: 2, attempt: null});
  assert.deepEqual(progress({stage: 'writing', attempt: 1}), {id: 'a', stage: 'writing', position: null, attempt: 1});
  assert.equal(progress({stage: 'brewing'}), assessing.assessment, 'a stage of a later version is no news');
  assert.deepEqual([reported.phase, reported.live, reported.report.id], ['report', true, 'a']);
});

test('an interview whose storing takes its time is over, before anything is promised', () => {
  const storing = run(talking, 'endAsked', {type: 'assessmentProgress', id: 'a', stage: 'storing'});
  assert.deepEqual([storing.phase, storing.live, storing.ending, storing.assessment.stage], ['assessing', true, false, 'preparing']);
  assert.deepEqual(run(storing, started), storing, 'the announcement changes nothing more');
  assert.equal(run(storing, failed).phase, 'failed');
  assert.equal(run(talking, {type: 'assessmentProgress', id: 'a', stage: 'queued', position: 1}).phase, 'listening', 'other news need an announcement');
});

test('a turn that is under way when it ends is over', () => {
  const state = run(talking, 'pressed', started);
  assert.deepEqual([state.phase, state.hearing], ['assessing', false]);
  for (const late of [{type: 'released', tooShort: false}, {type: 'pressed'}, {type: 'muteToggled'}, {type: 'speechStarted'}]) {
    assert.deepEqual(reduce(state, late), state, late.type);
  }
});

test('a report is delivered once per id, whatever came before', () => {
  assert.equal(run(reported, {...completed, content: {other: true}}).report, reported.report);
  assert.equal(run(assessing, failed, completed).phase, 'report');
  assert.equal(run(talking, completed).phase, 'report', 'also without an announcement');
  assert.equal(run(initialState, completed).phase, 'idle', 'but not to a page that has nothing to do with it');
});

test('the connection is let go when the summary was heard, not before', () => {
  assert.equal(run(reported, 'responseCreated', {type: 'responseDone'}).live, true, 'its sound is still to come');
  assert.equal(run(reported, 'responseCreated', 'playbackStarted', 'playbackStopped').live, true, 'a pause inside it');
  assert.equal(run(reported, 'responseCreated', 'playbackStarted', {type: 'responseDone'}, 'playbackStopped').live, false);
  assert.equal(run(reported, 'playbackStarted', 'playbackStopped').live, true, 'the end of an earlier answer');
  assert.equal(run(reported, 'summaryLate').live, false, 'nobody speaks');
  assert.equal(run(reported, 'responseCreated', 'playbackStarted', 'summaryLate').live, true, 'it is spoken just now');
  assert.equal(run(reported, lost).phase, 'report', 'its loss harms nothing');
});

test('without a connection the server is asked, and every answer leads somewhere', () => {
  assert.deepEqual([asking.phase, asking.live, isAtRest(asking)], ['assessing', false, true]);
  assert.equal(run(asking, found('pending')).assessment.stage, 'queued');
  assert.equal(run(asking, found('running')).assessment.stage, 'writing');
  assert.equal(run(asking, found('of a later version')).phase, 'assessing');
  assert.equal(run(asking, found('completed', kReport)).report.content, kReport);
  assert.equal(run(asking, found('failed')).failure.retry, 'assess');
  for (const [name, retry] of [['late', 'ask'], ['unreachable', 'ask'], ['gone', null]]) {
    assert.deepEqual(run(asking, {type: 'askingFailed', name}).failure, {name, message: '', retry});
    assert.ok(kFailures[name].title && kFailures[name].advice);
  }
  assert.deepEqual(run(assessing, found('failed')), assessing, 'a late answer does not overtake a connection');
  assert.deepEqual(run(talking, found('completed', kReport)), talking, 'nor disturb another interview');
});

test('a connection that a drain has closed is not called lost, and its report is awaited all the same', () => {
  const drained = {...lost, reason: 'draining', code: 1001};
  const waiting = run(assessing, {type: 'drainTold', seconds: 2}, drained);
  assert.deepEqual([waiting.phase, waiting.live, waiting.drained, waiting.drain], ['assessing', false, true, null]);
  assert.match(assessmentTexts(waiting).hint, /being updated\. Your report still comes/);
  assert.equal(run(waiting, found('pending'), found('running')).drained, true, 'whatever the server answers');
  assert.doesNotMatch(assessmentTexts(asking).hint, /updated/);
  const ending = run(talking, 'endAsked', drained);
  assert.deepEqual([ending.phase, ending.drained], ['assessing', true], 'the wish to end may have been heard');
  assert.equal(run(waiting, found('completed', kReport)).phase, 'report');
  assert.equal(run(waiting, {type: 'askingFailed', name: 'late'}, 'retryAsked').drained, false);
  assert.equal(run(waiting, found('completed', kReport), 'startAsked').drained, false);
  assert.equal(run(asking, drained).drained, false, 'it was lost before');
});

test('a retry goes the way that there is', () => {
  assert.equal(run(assessing, failed, 'retryAsked').live, true);
  assert.equal(run(assessing, failed, lost, 'retryAsked').live, false);
  assert.equal(run(assessing, {...failed, retryable: false}).failure.retry, null);
});

test('the wish to end can be refused, and is not forgotten when the connection breaks', () => {
  const ending = run(talking, 'endAsked');
  assert.deepEqual([ending.phase, ending.ending, actionOf(ending)], ['listening', true, 'wait']);
  const refused = run(ending, 'endRefused');
  assert.match(noticeText(refused), /could not be finished/);
  assert.equal(actionOf(refused), 'hold');
  assert.deepEqual([run(ending, lost).phase, run(talking, lost).phase], ['assessing', 'connecting']);
});

test('another interview begins with nothing of the last but its report', () => {
  const again = run(reported, 'hushed', 'startAsked');
  assert.deepEqual([again.phase, again.assessment, again.profile, again.assessed, again.report.id], ['connecting', null, null, true, 'a']);
  const wanted = run(again, 'stopped', 'reportWanted');
  assert.deepEqual([wanted.phase, wanted.live], ['assessing', false]);
  assert.equal(run(wanted, found('completed', kReport)).report.summary, 'Well done.');
});

test('every change of an interview leaves a page at rest at rest', () => {
  const known = {id: 'a', profile: 'assistant', name: 'late', stage: 'queued'};
  for (const type of Object.keys(kInterviewChanges).filter((each) => !['answered', 'reportWanted'].includes(each))) {
    assert.equal(reduce(initialState, {type, ...known}).phase, 'idle', type);
  }
});

test('the stages in words', () => {
  const now = (assessment) => stepTexts({position: null, attempt: null, ...assessment}).find((step) => step.now).text;
  assert.deepEqual([now({stage: 'preparing'}), now({stage: 'queued', position: 4}), now({stage: 'writing', attempt: 1}), now({stage: 'writing', attempt: 3})],
                   ['In the queue', 'In the queue, place 4', 'Being written', 'Being written, try 3']);
  assert.notEqual(assessmentTexts(asking).hint, assessmentTexts(assessing).hint);
});

// --- asking ---

function pollOf(answers) {
  let now = 0;
  const told = [];
  const asked = [];
  const poll = new ReportPoll({
    ask: async (session) => {
      asked.push(session);
      return answers.length > 1 ? answers.shift() : answers[0];
    },
    on: {answered: ({state}) => told.push(state), gaveUp: (name) => told.push(name)},
    clock: {now: () => now, pause: async (ms) => {
      now += ms;
    }},
  });
  return {poll, told, asked, now: () => now};
}

const running = {is: 'found', id: 'a', state: 'running'};

test('it is asked every two seconds until there is an end', async () => {
  for (const end of ['completed', 'failed']) {
    const {poll, told, now} = pollOf([running, {is: 'unreachable'}, {...running, state: end}]);
    await poll.start('session');
    assert.deepEqual([told, now()], [['running', end], 4000]);
  }
});

test('asking ends by itself', async () => {
  for (const [answer, name, ms] of [[running, 'late', 300000], [{is: 'unreachable'}, 'unreachable', 300000], [{is: 'missing'}, 'gone', 0], [{is: 'refused'}, 'gone', 0]]) {
    const {poll, told, now} = pollOf([answer]);
    await poll.start('session');
    assert.deepEqual([told.at(-1), now()], [name, ms]);
  }
});

test('who stops asking is told nothing more; a refused beginning is told', async () => {
  const {poll, told, asked} = pollOf([running]);
  const first = poll.start('one', async () => {
    poll.stop();
    return {is: 'found'};
  });
  await first;
  assert.deepEqual([told, asked], [[], []]);
  await poll.start('two', async () => ({is: 'unreachable'}));
  await poll.start('two', async () => ({is: 'missing'}));
  assert.deepEqual([told, asked], [['unreachable', 'gone'], []]);
});

test('tokens: the last interview first, and what is not readable is not there', () => {
  const entries = new Map();
  const storage = {getItem: (name) => entries.get(name) ?? null, setItem: (name, value) => entries.set(name, value)};
  assert.deepEqual(assessedSessions(storage), []);
  assert.deepEqual(assessedSessions(undefined), []);
  const token = (id, profile = 'interview') => tokenOf({session_id: id, access_token: `t-${id}`, profile});
  keepToken(token('one'), storage);
  keepAssessed({...token('one'), at: 5}, storage);
  assert.deepEqual(assessedSessions(storage).map(({sessionId, at}) => [sessionId, at]), [['one', 5]]);
  keepToken(token('two'), storage);
  assert.deepEqual(assessedSessions(storage).map(({sessionId}) => sessionId), ['two', 'one']);
  keepToken(token('three', 'assistant'), storage);
  assert.deepEqual(assessedSessions(storage).map(({sessionId}) => sessionId), ['one']);
  entries.set('voicebridge.assessed', '{"sessionId":');
  assert.deepEqual(assessedSessions(storage), []);
});

// --- reports ---

test('a whole report is read whole', () => {
  const report = readReport(kReport);
  assert.deepEqual(report.domains.map(({key, rating}) => [key, rating]), kReport.domain_analyses.map(({domain, rating}) => [domain, rating]));
  assert.deepEqual([report.level, report.errors, report.isEmpty], ['B1', kReport.logic_errors_to_debug, false]);
});

test('whatever is not as expected is left out', () => {
  for (const nothing of [undefined, null, 7, 'text', [], {}, {domain_analyses: {}, logic_errors_to_debug: 'no', proficiency_level: 3}]) {
    assert.equal(readReport(nothing).isEmpty, true, JSON.stringify(nothing));
  }
  const ratingOf = (rating) => readReport({domain_analyses: [{domain: 'grammar', rating}]}).domains[0].rating;
  assert.deepEqual([0, 11, '7', null, NaN, undefined, 7.4, 1, 10].map(ratingOf), [null, null, null, null, null, null, 7, 1, 10]);
  assert.equal(readReport({domain_analyses: Array(99).fill({domain: 'grammar'})}).domains.length, 10);
  assert.equal(readReport({ceiling_analysis: 'x'.repeat(1e6)}).ceiling.length, 4001);
});

test('a point of the radar lies on its axis, as far out as its rating', () => {
  const centre = pointOf(0, 5, 0);
  const top = pointOf(0, 5, 10);
  const radius = centre.y - top.y;
  assert.ok(radius > 0 && Math.abs(top.x - centre.x) < 1e-9, 'the first one is upwards');
  for (let i = 0; i < 5; ++i) {
    const {x, y} = pointOf(i, 5, 4);
    assert.ok(Math.abs(Math.hypot(x - centre.x, y - centre.y) - 0.4 * radius) < 1e-9);
    assert.ok(Math.abs(Math.atan2(x - centre.x, centre.y - y) - ((i <= 2 ? i : i - 5) * 2 * Math.PI) / 5) < 1e-9, 'clockwise, evenly');
  }
});
