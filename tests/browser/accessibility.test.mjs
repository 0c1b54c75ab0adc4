// The page for keyboards, screen readers, small windows; and what it lets in from outside.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {postJson, request} from '../process/harness.mjs';
import {misfits, objections} from './harness/inspection.mjs';
import {withPage} from './harness/page.mjs';

const kSpeech = {speech: ['vm-goodbye', 300]};

for (const colorScheme of ['light', 'dark']) {
  for (const width of [320, 1280]) {
    test(`axe-core finds nothing, all fits and can be hit: ${width} px, ${colorScheme}`, () => withPage({
      browser: kSpeech, page: {colorScheme, viewport: {width, height: 720}},
    }, async (talk) => {
      const check = async (when) => assert.deepEqual([await objections(talk), await misfits(talk)], [[], []], when);
      await check('at the start');
      await talk.screenshot(`start-${width}-${colorScheme}`);
      await talk.start();
      await talk.hold(900);
      await talk.waitForPhase('speaking');
      await talk.waitFor(({conversations: [turns]}) => turns.length === 2 && turns.every(({state}) => state !== 'pending'), 'both transcripts');
      await check('while it speaks');
      await talk.screenshot(`speaking-${width}-${colorScheme}`);
      await talk.page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
      });
      await talk.page.locator('#end').click();
      await talk.button.click();
      await talk.waitForPhase('error');
      await check('with an error');
      await talk.screenshot(`error-${width}-${colorScheme}`);
    }));
  }
}

test('a whole conversation by keyboard alone', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  const {keyboard} = talk.page;
  const focused = () => talk.page.evaluate(() => document.activeElement.id || document.activeElement.value);
  await keyboard.press('Tab');
  assert.equal(await focused(), 'talk');
  assert.equal(await talk.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'solid', 'the focus is seen');
  await keyboard.press('Enter');
  await talk.waitForPhase('listening');
  for (const [turns, key] of [' ', 'Enter'].entries()) {
    await keyboard.down(key);
    await talk.waitFor((seen) => seen.button === 'Release to send', `${key} to be held`);
    await keyboard.down(key);  // As a key that is held repeats.
    await talk.page.waitForTimeout(900);  // How long a person speaks.
    await keyboard.up(key);
    await talk.waitForPhase('speaking');
    await talk.waitForPhase('listening');
    assert.equal((await fleet.journal()).sessions[0].user_items.length, turns + 1);
  }
  await keyboard.press('Tab');
  assert.equal(await focused(), 'push');
  await keyboard.press('ArrowRight');
  await talk.waitFor((seen) => seen.button === 'Mute the microphone', 'hands-free');
  await keyboard.press('Shift+Tab');
  await keyboard.press('Shift+Tab');
  assert.equal(await focused(), 'end');
  await keyboard.press('Enter');
  await talk.waitForPhase('ended');
}));

test('what can only click, as a screen reader does, starts and ends a turn by clicks', () => withPage({browser: kSpeech}, async (talk) => {
  const click = () => talk.page.evaluate(() => document.getElementById('talk').click());
  await click();
  await talk.waitForPhase('listening');
  await click();
  await talk.page.waitForTimeout(900);  // How long a person speaks.
  await click();
  await talk.waitForPhase('speaking');
  const announced = await talk.page.locator('#announcer').textContent();
  assert.match(announced, /^(You|Assistant): /, 'finished words are read out');
}));

test('Korean words are marked as such, for the voice that reads them aloud', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await fleet.script({transcripts: ['저는 여행을 좋아해요'], replies: ['I see.']});
  await talk.start();
  await talk.hold(900);
  await talk.waitFor(({conversations: [turns]}) => turns.length === 2 && turns.every(({state}) => state === 'final'), 'both transcripts');
  const languages = await talk.page.evaluate(() => [...document.querySelectorAll('.words')].map((words) => words.closest('[lang]').lang));
  assert.deepEqual(languages, ['ko', 'en']);
}));

test('whatever was said is shown as text', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  const hostile = '<img src=x onerror="window.broken=1"><script>window.broken=2</script> & "quotes" 안녕하세요';
  await fleet.script({transcripts: [hostile], replies: [`Reply ${hostile}`]});
  await talk.start();
  await talk.hold(900);
  await talk.waitFor(({conversations: [turns]}) => turns.length === 2 && turns.every(({state}) => state === 'final'), 'both transcripts');
  const {conversations: [turns]} = await talk.look();
  assert.deepEqual(turns.map(({words}) => words), [hostile, `Reply ${hostile}`]);
  assert.equal(await talk.page.evaluate(() => document.querySelectorAll('.transcript img, .transcript script').length), 0);
  assert.equal(await talk.page.evaluate(() => window.broken), undefined);
  await talk.screenshot('hostile-text-1280-light');
}));

test('a key from the link is used, taken out of the address and kept nowhere', () => {
  let secret;
  const mint = async (fleet) => {
    const answer = await postJson(`${fleet.httpUrl}/v1/realtime/client_secrets`, {}, {headers: {Authorization: 'Bearer sk-operator'}});
    secret = JSON.parse(answer.body).value;
    return {fragment: `key=${secret}`};
  };
  return withPage({browser: kSpeech, fleet: {apiKeys: {operator: 'sk-operator'}}, page: mint}, async (talk) => {
    assert.equal(new URL(talk.page.url()).hash, '');
    await talk.start();
    await talk.hold(900);
    await talk.waitForPhase('speaking');
    const kept = await talk.page.evaluate(() => JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, history.state]));
    assert.ok(secret.startsWith('ek_') && !kept.includes(secret), kept);
  });
});

test('the policy of the page forbids what it does not need', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  const {headers} = await request(`${fleet.httpUrl}/`);
  const policy = headers['content-security-policy'] ?? '';
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(part), `${part} in ${policy}`);
  }
  assert.equal(headers['x-content-type-options'], 'nosniff');
  const inline = await talk.page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
    const script = document.createElement('script');
    script.textContent = 'window.broken = 3';
    document.body.append(script);
  }));
  assert.equal(inline, 'script-src-elem');
  assert.equal(await talk.page.evaluate(() => window.broken), undefined);
  assert.equal(talk.complaints.length, 1, 'that one is complained about');
  talk.complaints.length = 0;
}));
