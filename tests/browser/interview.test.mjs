// The end of an interview on the page, in front of a gateway that says what each test wants.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {waitUntil} from '../process/harness.mjs';
import {completed, failed, interviewPages, kAssessment, kReport, kSummary, lookAtEnd, queued, reportShown, shoot, started, writing} from './harness/interview.mjs';

const onPage = interviewPages();
const kFound = (state, report) => ({status: 200, body: {assessment_id: kAssessment, state, report}});
const kReportPath = '/v1/sessions/sess_1/report';
const waitFor = (talk, find, what) => waitUntil(async () => {
  const seen = await lookAtEnd(talk);
  return find(seen) && seen;
}, {ms: 10000, what, got: () => '', every: 20});

// That there is no report is an answer; the browser complains all the same.
function forgive404(talk) {
  talk.complaints = talk.complaints.filter((each) => !/404/.test(each));
}

async function assessing(talk, gateway) {
  await talk.start();
  gateway.send(started);
  await talk.waitForPhase('assessing');
}

test('finishing is asked about first; then the end is shown within a second and the microphone is off', onPage(async (talk, gateway) => {
  const {page} = talk;
  await page.evaluate(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => (window.microphone = await ask(wanted));
  });
  await talk.start();
  assert.match((await talk.look()).hint, /You speak first/);
  await page.click('#finish');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'finish', 'the focus comes back');
  assert.equal(gateway.sentOf('voicebridge.assessment.request').length, 0);
  await page.click('#finish');
  await page.click('#finish-yes');
  await gateway.receives('voicebridge.assessment.request');
  assert.equal((await talk.look()).state, 'Finishing');
  const sentAt = performance.now();
  gateway.send(started);
  await talk.waitForPhase('assessing');
  assert.ok(performance.now() - sentAt < 1000, 'within a second');
  const seen = await lookAtEnd(talk);
  assert.deepEqual([seen.panel, seen.now, seen.focus], ['The interview is over', 'In the queue', 'assessment-name']);
  assert.deepEqual(seen.buttons, [], 'there is nothing left to press');
  assert.equal(await page.evaluate(() => window.microphone.getTracks()[0].readyState), 'ended');
}));

test('the stages are shown, the clock runs, and signs of life are no news', onPage(async (talk, gateway) => {
  await assessing(talk, gateway);
  gateway.send(queued(3));
  await waitFor(talk, ({now}) => now === 'In the queue, place 3', 'the place');
  gateway.send({type: 'voicebridge.keepalive', assessment_id: kAssessment}, queued(1), {type: 'voicebridge.assessment.progress', stage: 'constructor', position: {}});
  await waitFor(talk, ({now}) => now === 'In the queue, place 1', 'the next place');
  gateway.send(writing(1));
  await waitFor(talk, ({panel, now}) => panel === 'Writing your report' && now === 'Being written', 'the writing');
  gateway.send(writing(2));
  await waitFor(talk, ({now}) => now === 'Being written, try 2', 'the second try');
  await waitFor(talk, ({elapsed}) => elapsed !== '0:00', 'the clock to run');
  assert.equal((await lookAtEnd(talk)).notice, undefined);
}));

test('a button that is held when the interview ends sends no turn', onPage(async (talk, gateway) => {
  await talk.start();
  await talk.button.hover();
  await talk.page.mouse.down();
  await gateway.receives('input_audio_buffer.append', 4);  // Enough to be a turn.
  gateway.send(started);
  await talk.waitForPhase('assessing');
  await talk.page.mouse.up();
  await talk.page.keyboard.down(' ');
  await talk.page.keyboard.up(' ');
  await waitFor(talk, ({elapsed}) => elapsed !== '0:00', 'a second to pass');
  gateway.send(completed());
  await talk.waitForPhase('report');
  assert.deepEqual([gateway.sentOf('input_audio_buffer.commit'), gateway.sentOf('response.create')], [[], []]);
}));

test('the report comes at once and once; its summary is spoken, shown once, and then the connection is let go', onPage(async (talk, gateway) => {
  await talk.start();
  gateway.speak('resp_1', 'Tell me about your weekend.', 100);
  await talk.waitFor(({conversations: [turns]}) => turns.length === 1, 'the answer');
  gateway.send(started, writing(1), completed());
  await talk.waitForPhase('report');
  const seen = await waitFor(talk, ({focus}) => focus === 'report-title', 'the focus on the heading');
  assert.equal(seen.summary, kSummary);
  await talk.page.evaluate(() => {
    window.firstCard = document.querySelector('.card');
  });
  gateway.send(completed());
  gateway.speak('resp_2', kSummary, 900);
  await waitFor(talk, ({buttons}) => buttons.includes('Stop reading'), 'the voice');
  await waitUntil(() => !gateway.isConnected, {ms: 10000, what: 'the end of the connection'});
  const after = await waitFor(talk, ({buttons}) => !buttons.includes('Stop reading'), 'the end of the voice');
  assert.equal(after.reports, 1);
  assert.equal(await talk.page.evaluate(() => window.firstCard.isConnected), true, 'the second one changes nothing');
  const {conversations: [turns]} = await talk.look();
  assert.deepEqual(turns.map(({words}) => words), ['Tell me about your weekend.'], 'one text, not two');
  assert.equal(await talk.phase(), 'report');
}));

test('who has heard enough stops the voice and keeps the report', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  gateway.speak('resp_1', kSummary, 8000);
  await waitFor(talk, ({buttons}) => buttons.includes('Stop reading'), 'the voice');
  await talk.page.click('#voice button');
  await waitUntil(() => !gateway.isConnected, {ms: 5000, what: 'the end of the connection'});
  assert.equal(await talk.phase(), 'report');
}));

test('a failure is said in the server\'s words, and a retry over the connection brings the report', onPage(async (talk, gateway) => {
  await assessing(talk, gateway);
  gateway.send(failed);
  await talk.waitForPhase('failed');
  const seen = await lookAtEnd(talk);
  assert.deepEqual([seen.panel, seen.hint, seen.focus], ['The report could not be written', failed.message, 'assessment-name']);
  assert.deepEqual(seen.buttons, ['Write the report again', 'Start a new interview']);
  await shoot(talk, 'report-failed-1280-light');
  await talk.page.click('#retry-assessment');
  await gateway.receives('voicebridge.assessment.retry');
  await talk.waitForPhase('assessing');
  gateway.send(writing(1));
  await waitFor(talk, ({panel}) => panel === 'Writing your report', 'the writing');
  gateway.send(failed);
  await talk.waitForPhase('failed');
  await talk.page.click('#retry-assessment');
  await gateway.receives('voicebridge.assessment.retry', 2);
  gateway.send(completed());
  await talk.waitForPhase('report');
  assert.deepEqual(gateway.requests, [], 'nothing was asked by HTTP');
}));

test('what cannot be tried again has no button for it', onPage(async (talk, gateway) => {
  await assessing(talk, gateway);
  gateway.send({...failed, retryable: false});
  await talk.waitForPhase('failed');
  assert.deepEqual((await lookAtEnd(talk)).buttons, ['Start a new interview']);
  await talk.page.click('#new-instead');
  await talk.waitForPhase('listening');
  assert.equal(gateway.sessions, 2);
}));

test('a retry without a connection goes by HTTP', onPage(async (talk, gateway) => {
  await assessing(talk, gateway);
  gateway.send(failed);
  await talk.waitForPhase('failed');
  gateway.drop();
  gateway.report = kFound('completed', kReport);
  await waitUntil(async () => {
    await talk.page.click('#retry-assessment', {timeout: 5000});
    return gateway.requests.length > 0;
  }, {ms: 5000, what: 'the retry', every: 200});
  await talk.waitForPhase('report');
  const authorization = 'Bearer token-of-sess_1';
  assert.deepEqual(gateway.requests, [{method: 'POST', path: '/v1/sessions/sess_1/assessment/retry', authorization}, {method: 'GET', path: kReportPath, authorization}]);
}));

test('a connection lost while it is assessed: the page asks, and begins no other interview', onPage(async (talk, gateway) => {
  const states = ['pending', 'running', 'completed'];
  gateway.report = () => kFound(states.length > 1 ? states.shift() : 'completed', kReport);
  await assessing(talk, gateway);
  gateway.drop();
  await waitFor(talk, ({hint}) => /^The connection is gone, but the report is not/.test(hint), 'what has happened');
  await waitFor(talk, ({now}) => now === 'Being written', 'what the server answers');
  await talk.waitForPhase('report');
  assert.deepEqual([gateway.requests.length, gateway.sessions], [3, 1]);
}));

test('after a reload the report is there again, by HTTP', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  gateway.report = kFound('completed', kReport);
  await talk.page.reload();
  await talk.waitForPhase('report');
  const seen = await waitFor(talk, ({focus}) => focus === 'report-title', 'the focus on the heading');
  assert.equal(seen.domains.length, 5);
  assert.deepEqual(gateway.requests, [{method: 'GET', path: kReportPath, authorization: 'Bearer token-of-sess_1'}]);
}));

test('a service that is away just after a reload is asked again', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  const answers = [{status: 503, body: {}}, {status: 503, body: {}}];
  gateway.report = () => answers.shift() ?? kFound('completed', kReport);
  await talk.page.reload();
  await talk.waitForPhase('report');
  assert.equal(gateway.requests.length, 3);
  talk.complaints = talk.complaints.filter((each) => !/503/.test(each));  // The browser's own.
}));

test('after a reload in mid-assessment the page waits on, and a failure can be retried', onPage(async (talk, gateway) => {
  await assessing(talk, gateway);
  gateway.report = kFound('running');
  await talk.page.reload();
  await waitFor(talk, ({now}) => now === 'Being written', 'the stage');
  gateway.report = kFound('failed');
  await talk.waitForPhase('failed');
  gateway.report = kFound('completed', kReport);
  await talk.page.click('#retry-assessment');
  await talk.waitForPhase('report');
  assert.equal(gateway.requests.filter(({method}) => method === 'POST').length, 1);
}));

test('after a reload without an assessment the page begins as ever', onPage(async (talk, gateway) => {
  await talk.start();
  await talk.page.reload();
  await waitUntil(() => gateway.requests.length > 0, {ms: 5000, what: 'the question for a report'});
  await talk.start();
  forgive404(talk);
}));

test('another interview from the report; the first report is a click away afterwards', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  await talk.page.getByRole('button', {name: 'Start a new interview'}).click();
  await talk.waitForPhase('listening');
  assert.equal(await talk.page.evaluate(() => document.activeElement.id), 'talk');
  assert.equal(gateway.sessions, 2);
  await talk.page.click('#end');
  await talk.waitForPhase('ended');
  gateway.report = kFound('completed', kReport);
  await talk.page.click('#last-report');
  await talk.waitForPhase('report');
  assert.equal(gateway.requests[0].path, kReportPath);
  assert.equal((await lookAtEnd(talk)).summary, kSummary, 'which is remembered');
  gateway.report = (asked) => (asked === kReportPath ? kFound('completed', kReport) : {status: 404, body: {}});
  await talk.page.reload();
  await talk.waitForPhase('report');
  forgive404(talk);
}));

test('no news and no sign of life: the server is asked, until it has been long enough', onPage(async (talk, gateway) => {
  const {page} = talk;
  gateway.report = kFound('running');
  await talk.start();
  await page.clock.install();
  gateway.send(started);
  await talk.waitForPhase('assessing');
  await page.clock.runFor(19000);
  gateway.send({type: 'voicebridge.keepalive', assessment_id: kAssessment});
  gateway.send(queued(1));
  await waitFor(talk, ({now}) => now === 'In the queue, place 1', 'the place');
  await page.clock.runFor(19000);
  assert.deepEqual(gateway.requests, [], 'a sign of life is enough');
  await page.clock.runFor(2000);
  await waitUntil(() => gateway.requests.length === 1, {ms: 5000, what: 'the first question'});
  await waitUntil(() => !gateway.isConnected, {ms: 5000, what: 'the end of the connection'});
  await waitUntil(async () => {
    await page.clock.fastForward(60000);
    return await talk.phase() === 'failed';
  }, {ms: 10000, what: 'the end of the asking', every: 50});
  const seen = await lookAtEnd(talk);
  assert.deepEqual([seen.panel, seen.buttons], ['The report takes longer than expected', ['Look again', 'Start a new interview']]);
  gateway.report = kFound('completed', kReport);
  await page.click('#retry-assessment');
  await talk.waitForPhase('report');
  assert.ok(gateway.requests.every(({method}) => method === 'GET'), 'to look again starts nothing');
}));

test('a connection lost while the end is asked for: the server knows whether there is a report', onPage(async (talk, gateway) => {
  await talk.start();
  await talk.page.click('#finish');
  await talk.page.click('#finish-yes');
  await gateway.receives('voicebridge.assessment.request');
  gateway.drop();
  await talk.waitForPhase('failed');
  const seen = await lookAtEnd(talk);
  assert.deepEqual([seen.panel, seen.buttons], ['There is no report of this interview', ['Start a new interview']]);
  forgive404(talk);
}));

test('input that came too late is answered calmly, in the server\'s words, as text', onPage(async (talk, gateway) => {
  const message = 'The interview is over: <b>the assessment</b> is being written.';
  await assessing(talk, gateway);
  gateway.send({type: 'error', error: {type: 'invalid_request_error', code: 'input_not_accepted', message, event_id: null}});
  const seen = await waitFor(talk, ({notice}) => notice, 'the notice');
  assert.equal(seen.notice, message);
  assert.equal(await talk.phase(), 'assessing');
  gateway.send(completed());
  await talk.waitForPhase('report');
}));

test('only an interview can be finished', onPage(async (talk, gateway) => {
  await talk.start();
  assert.deepEqual((await lookAtEnd(talk)).buttons.filter((name) => /Finish|End|Leave/.test(name)), ['End']);
  assert.doesNotMatch((await talk.look()).hint, /first/);
  await talk.page.reload();
  await talk.start();
  assert.deepEqual([gateway.requests, gateway.sessions], [[], 2], 'and no report is asked for');
}, {setUp: (gateway) => {
  gateway.profile = 'assistant';
}}));
