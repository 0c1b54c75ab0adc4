// An hour of conversation on one session, without its pauses: what a session costs does not grow with its age.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkTurn, full, kBytesPerMs, marked, sanitized, speech, withFleet} from './harness.mjs';

const kHourMs = 60 * 60 * 1000;
const kPrompt = 'vm-goodbye';
// Long answers make an hour of few turns; with --full they are short, and their items many.
const kAnswer = full ? undefined : {instructions: `say exactly: "${'I have thought about this for a while, and I see it like that. '.repeat(6)}"`};
const kGrowthMaxKiB = sanitized ? 320 * 1024 : 1536;  // AddressSanitizer keeps 256 MiB of freed memory back.

const rss = (fleet) => Object.fromEntries([fleet.gateway, ...fleet.workers].map((process) => [process.name, process.stats().rssKiB]));

test('an hour of conversation on one session leaves the memory flat', {timeout: 600000}, () => withFleet({workers: 1, simulatorFlags: ['--audio_speed=200']}, async (fleet) => {
  const client = await fleet.connect({binary: true});
  const pcm = speech(kPrompt);
  let spoken = 0;
  let turns = 0;
  let settled;
  while (spoken < kHourMs) {
    const question = marked(pcm, turns);
    const turn = await client.sendTurn(question, {response: kAnswer});
    assert.equal(turn.response.status, 'completed');
    spoken += (question.length + turn.audio.bytes) / kBytesPerMs;
    turns += 1;
    client.events.length = 0;
    if (settled === undefined && spoken > kHourMs / 6) {
      settled = {at: Math.round(spoken / 1000), ...rss(fleet)};
    }
  }
  const ended = {at: Math.round(spoken / 1000), ...rss(fleet)};
  console.log(`# ${turns} turns, KiB after some minutes and at the end: ${JSON.stringify(settled)} ${JSON.stringify(ended)}`);
  for (const process of [fleet.gateway, ...fleet.workers]) {
    const growth = ended[process.name] - settled[process.name];
    assert.ok(growth <= kGrowthMaxKiB, `${process.name} grew by ${growth} KiB`);
  }
  await checkTurn(fleet, client);
  await client.close();
  await fleet.sessionsGone();
}));
