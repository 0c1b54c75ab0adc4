// A whole interview in a real browser, with all processes behind it: from the first press to the report.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {withPage} from './harness/page.mjs';
import {lookAtEnd} from './harness/interview.mjs';

const kSpeech = {speech: ['vm-goodbye', 300]};
const kHostile = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>안녕하세요';

async function withInterview(body) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-whole-'));
  try {
    const options = {browser: kSpeech, page: {query: {profile: 'interview'}}, fleet: {workerFlags: [`--store=sqlite:${dir}/store.db`]}};
    await withPage(options, body);
  } finally {
    fs.rmSync(dir, {recursive: true, force: true});
  }
}

test('three spoken turns, the report with the learner\'s own words, the summary heard, the report again after a reload', () => withInterview(async (talk, fleet) => {
  await fleet.script({transcripts: [kHostile, '저는 부산에서 왔어요', '주말에 등산을 했어요']});
  await talk.start();
  await talk.turn();
  await talk.turn();
  const {conversations: [turns]} = await talk.look();
  assert.equal(turns[0].words, kHostile, 'what was said is text');
  assert.match(turns[1].words, /[가-힣]/);
  await talk.screenshot('interview-talk');
  await talk.hold(1200);
  await talk.waitForPhase('report', 30000);
  const seen = await lookAtEnd(talk);
  assert.match(seen.level, /^(A1|A2|B1|B2|C1|C2)/);
  assert.equal(seen.domains.length, 5);
  assert.equal(seen.errors.length, 2);
  assert.match(seen.text, /부산|등산|안녕하세요/, 'evidence from the conversation');
  assert.equal(await talk.page.evaluate(() => window.hacked), undefined);
  await talk.screenshot('interview-report');
  await talk.waitFor(() => talk.received.itemIds.some((id) => id.startsWith('vbs_')), 'the voice of the summary', 30000);
  await talk.page.reload();
  await talk.waitForPhase('report', 30000);
  assert.equal((await lookAtEnd(talk)).text.includes(seen.errors[0]), true, 'the report is there again');
  assert.equal((await fleet.journal()).refused, 0);
}));
