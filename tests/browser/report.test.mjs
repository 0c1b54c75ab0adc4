// The report on the page: all of it, as text, readable in every window, on paper, as a file and by keyboard.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {waitUntil} from '../process/harness.mjs';
import {misfits, objections} from './harness/inspection.mjs';
import {completed, failed, interviewPages, kAssessment, kReport, kSummary, lookAtEnd, queued, reportShown, shoot, started} from './harness/interview.mjs';
import {kArtifacts} from './harness/page.mjs';

const onPage = interviewPages();
const kDomains = ['Fluency and interaction', 'Grammar', 'Vocabulary', 'Coherence', 'Politeness and register'];

test('everything in the report can be read, the two errors too', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  const seen = await lookAtEnd(talk);
  assert.match(seen.title, /^Level\s+B1\s+Intermediate$/);
  assert.match(seen.level, /^B1/);
  assert.deepEqual([seen.summary, seen.errors, seen.domains], [kSummary, kReport.logic_errors_to_debug, kDomains]);
  for (const text of [kReport.ceiling_analysis, 'Level-up', kReport.starting_module, kReport.optimization_strategy]) {
    assert.ok(seen.text.includes(text), text);
  }
  const cards = await talk.page.$$eval('.domain', (found) => found.map((card) => ({
    rating: card.querySelector('.rating').textContent, segments: card.querySelectorAll('.bar10 .on').length, observation: card.querySelector('p:not(.rating)').textContent,
    evidence: card.querySelector('blockquote').textContent, lang: card.querySelector('blockquote').lang,
  })));
  assert.deepEqual(cards, kReport.domain_analyses.map(({rating, observation, evidence}) => ({rating: `${rating} of 10`, segments: rating, observation, evidence, lang: 'ko'})));
  const rows = await talk.page.$$eval('.ratings tbody tr', (found) => found.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.deepEqual(rows, kReport.domain_analyses.map(({rating}, i) => [kDomains[i], String(rating)]), 'the chart as a table');
}));

test('the radar shows the ratings', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  const pointsOf = (selector) => talk.page.$eval(selector, (shape) => [...shape.points].map(({x, y}) => ({x, y})));
  const rim = await pointsOf('.radar .ring:nth-of-type(5)');
  const area = await pointsOf('.radar .area');
  const middle = (axis) => rim.reduce((sum, point) => sum + point[axis], 0) / rim.length;
  const centre = {x: middle('x'), y: middle('y')};
  assert.equal(area.length, 5);
  area.forEach((point, i) => {
    const share = kReport.domain_analyses[i].rating / 10;
    assert.ok(Math.abs(point.x - (centre.x + share * (rim[i].x - centre.x))) < 0.1 && Math.abs(point.y - (centre.y + share * (rim[i].y - centre.y))) < 0.1, `the point of ${kDomains[i]}`);
  });
  const labels = await talk.page.$$eval('.radar .label', (found) => found.map((label) => label.textContent));
  assert.deepEqual(labels, ['Fluency6', 'Grammar5', 'Vocabulary4', 'Coherence7', 'Register5']);
  assert.match(await talk.page.getByRole('img', {name: /Radar chart/}).getAttribute('aria-label'), /table/);
}));

test('what the model wrote is text, wherever it stands', onPage(async (talk, gateway) => {
  const hostile = '<img src=x onerror="window.broken=1"><script>window.broken=2</script><a href="javascript:window.broken=3">안녕</a> & </svg>';
  const report = {
    proficiency_level: hostile, ceiling_phase: hostile, ceiling_analysis: hostile, starting_module: hostile, optimization_strategy: hostile, logic_errors_to_debug: [hostile, hostile],
    domain_analyses: [...'abc'].map((letter) => ({domain: `${letter}${hostile}`, rating: 5, observation: hostile, evidence: hostile})),
  };
  await talk.start();
  gateway.send(started, {...completed(report), summary: hostile});
  await talk.waitForPhase('report');
  const inserted = await talk.page.$$eval('#report :is(img, script, a)', (found) => found.length);
  assert.deepEqual([inserted, await talk.page.evaluate(() => window.broken)], [0, undefined]);
  const {text, errors, summary} = await lookAtEnd(talk);
  assert.deepEqual([errors, summary], [[hostile, hostile], hostile]);
  assert.equal(text.split(hostile).length - 1, 20, 'each of them is there to read');
  await talk.page.setViewportSize({width: 320, height: 720});
  assert.deepEqual(await misfits(talk), []);
}));

test('reports of other versions: what is missing or strange leaves the rest to read', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  const {ceiling_phase: _, ...phaseless} = kReport;
  const domains = (change) => ({...kReport, domain_analyses: kReport.domain_analyses.map((domain, i) => (i === 1 ? {...domain, ...change} : domain))});
  const variants = [
    [{}, ({text}) => /cannot show what is in the report/.test(text)],
    [null, ({text}) => /cannot show what is in the report/.test(text)],
    [{...kReport, proficiency_level: 'A2-B1'}, ({title, level}) => /A2-B1/.test(title) && level === undefined],
    [phaseless, ({text}) => text.includes(kReport.ceiling_analysis)],
    [{...kReport, domain_analyses: kReport.domain_analyses.slice(0, 2)}, ({domains: shown, text}) => shown.length === 2 && /Ratings from 1 to 10/.test(text)],
    [domains({rating: 12}), ({text}) => /not rated/.test(text)],
    [domains({domain: 'listening_to_long_explanations'}), ({domains: shown}) => shown[1] === 'listening to long explanations'],
    [domains({evidence: undefined, observation: 5}), ({domains: shown}) => shown.length === 5],
    [{...kReport, logic_errors_to_debug: ['only one'], later_field: {a: [1]}}, ({errors}) => errors.length === 1],
    [{proficiency_level: 'C2'}, ({title}) => /C2/.test(title)],
  ];
  for (const [report, isRight] of variants) {
    gateway.report = {status: 200, body: {assessment_id: kAssessment, state: 'completed', report}};
    await talk.page.reload();
    await talk.waitForPhase('report');
    const seen = await lookAtEnd(talk);
    assert.ok(isRight(seen), `${JSON.stringify(report).slice(0, 300)} is shown as ${seen.text}`);
    assert.deepEqual(await misfits(talk), []);
  }
}));

for (const colorScheme of ['light', 'dark']) {
  for (const width of [320, 1280]) {
    test(`axe-core finds nothing, all fits and can be hit: ${width} px, ${colorScheme}`, onPage(async (talk, gateway) => {
      const check = async (when) => assert.deepEqual([await objections(talk), await misfits(talk)], [[], []], when);
      await talk.start();
      await check('in an interview');
      await talk.page.click('#finish');
      await check('the question');
      await shoot(talk, `report-question-${width}-${colorScheme}`);
      gateway.send(started, queued(2));
      await talk.page.getByText('In the queue, place 2').waitFor();
      await check('while it is assessed');
      await shoot(talk, `report-assessing-${width}-${colorScheme}`);
      gateway.send(failed);
      await talk.waitForPhase('failed');
      await check('failed');
      gateway.send(completed());
      await talk.waitForPhase('report');
      gateway.speak('resp_1', kSummary, 8000);
      await talk.page.getByText('Being read aloud').waitFor();
      await check('the report');
      await shoot(talk, `report-${width}-${colorScheme}`);
    }, {page: {colorScheme, viewport: {width, height: 720}}}));
  }
}

test('the longest texts are readable at 320 px, one word of 200 letters too', onPage(async (talk, gateway) => {
  const long = (length) => `${'가나다라마바사아자차'.repeat(20)} ${'W'.repeat(200)} ${'Sentences follow. '.repeat(100)}`.slice(0, length);
  const report = {
    proficiency_level: 'B2', ceiling_phase: 'probe', ceiling_analysis: long(1200), starting_module: long(200), optimization_strategy: long(800), logic_errors_to_debug: [long(500), long(500)],
    domain_analyses: kReport.domain_analyses.map(({domain}) => ({domain, rating: 10, observation: long(800), evidence: long(400)})),
  };
  await reportShown(talk, gateway, report);
  assert.deepEqual(await misfits(talk), []);
  const cut = await talk.page.$$eval('#report *', (found) => found.filter((each) => {
    const {overflowX, overflowY} = getComputedStyle(each);
    const isClipped = (overflowX !== 'visible' && each.scrollWidth > each.clientWidth + 1) || (overflowY !== 'visible' && each.scrollHeight > each.clientHeight + 1);
    const {left, right} = each.getBoundingClientRect();
    return !each.classList.contains('visually-hidden') && (isClipped || left < 0 || right > window.innerWidth + 0.5);
  }).map((each) => `${each.tagName}.${each.getAttribute('class')}`));
  assert.deepEqual(cut, []);
  const outside = await talk.page.$$eval('.radar .label', (labels) => labels.filter((label) => {
    const {left, right} = label.getBoundingClientRect();
    const card = label.closest('.card').getBoundingClientRect();
    return left < card.left + 4 || right > card.right - 4;
  }).map((label) => label.textContent));
  assert.deepEqual(outside, [], 'labels beside the chart');
  await shoot(talk, 'report-longest-320-light');
}, {page: {viewport: {width: 320, height: 720}}}));

test('on paper there is the report and nothing else, dark on white', onPage(async (talk, gateway) => {
  await reportShown(talk, gateway);
  const {page} = talk;
  gateway.speak('resp_1', kSummary, 8000);
  await page.getByText('Being read aloud').waitFor();
  await page.emulateMedia({media: 'print', colorScheme: 'dark'});
  await page.setViewportSize({width: 680, height: 960});  // The inside of an A4 page.
  const {buttons, errors, text} = await lookAtEnd(talk);
  assert.deepEqual([buttons, errors], [[], kReport.logic_errors_to_debug]);
  assert.doesNotMatch(text, /Being read aloud/);
  const seen = await page.evaluate(() => ({
    bar: document.querySelector('.bar').checkVisibility(), paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
    chart: document.querySelector('.radar').checkVisibility(), split: getComputedStyle(document.querySelector('.domain')).breakInside,
  }));
  assert.deepEqual(seen, {bar: false, paper: 'rgb(255, 255, 255)', ink: 'rgb(23, 39, 42)', chart: true, split: 'avoid'});
  assert.deepEqual(await misfits(talk), []);
  await shoot(talk, 'report-print');
  fs.writeFileSync(path.join(kArtifacts, 'report-print.pdf'), await page.pdf({format: 'A4', preferCSSPageSize: true, printBackground: false}));
}, {page: {colorScheme: 'dark'}}));

test('the download is the report as it came', onPage(async (talk, gateway) => {
  const report = {...kReport, of_a_later_version: ['안녕', {deep: '<b>'}]};
  await reportShown(talk, gateway, report);
  const [download] = await Promise.all([talk.page.waitForEvent('download'), talk.page.getByRole('button', {name: 'Download JSON'}).click()]);
  assert.match(download.suggestedFilename(), /^interview-report-\d{4}-\d\d-\d\d\.json$/);
  assert.deepEqual(JSON.parse(fs.readFileSync(await download.path(), 'utf8')), report);
}));

test('from the first press to the file by keyboard alone', onPage(async (talk, gateway) => {
  const {keyboard} = talk.page;
  const focused = () => talk.page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await talk.waitForPhase('listening');
  await keyboard.down(' ');
  await gateway.receives('input_audio_buffer.append', 4);
  await keyboard.up(' ');
  await gateway.receives('response.create');
  gateway.speak('resp_1', 'Thank you.', 100);
  await talk.waitForPhase('speaking');
  await talk.waitForPhase('listening');
  await keyboard.press('Shift+Tab');
  await keyboard.press('Shift+Tab');
  assert.equal(await focused(), 'finish');
  await keyboard.press('Enter');
  assert.equal(await focused(), 'finish-yes', 'the question takes the focus');
  await keyboard.press('Enter');
  await gateway.receives('voicebridge.assessment.request');
  gateway.send(started, failed);
  await talk.waitForPhase('failed');
  assert.equal(await focused(), 'assessment-name');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'retry-assessment');
  await keyboard.press('Enter');
  await gateway.receives('voicebridge.assessment.retry');
  gateway.send(completed());
  await waitUntil(async () => await focused() === 'report-title', {ms: 5000, what: 'the focus on the heading'});
  await keyboard.press('Tab');
  assert.equal(await focused(), 'Print');
  await keyboard.press('Tab');
  const [download] = await Promise.all([talk.page.waitForEvent('download'), keyboard.press('Enter')]);
  assert.deepEqual(JSON.parse(fs.readFileSync(await download.path(), 'utf8')), kReport);
}));
