// The page on what people have: a small phone with toolbars, a laptop that can be touched, a browser that plays no sound
// unasked, an address without TLS.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {withFleet} from '../process/harness.mjs';
import {launch, webRoot, withPage} from './harness/page.mjs';

const kSpeech = {speech: ['vm-goodbye', 300]};
const kFast = {simulatorFlags: ['--audio_speed=20']};
const kShort = {replies: ['Yes.']};
const kPhone = {width: 375, height: 667};
const kToolbars = 114;  // Of Safari on such a phone, above and below.

// Whether a person sees all of it and a finger would hit it, without scrolling.
function isWhole(talk, selector) {
  return talk.page.evaluate((wanted) => {
    const control = document.querySelector(wanted);
    const {left, right, top, bottom} = control.getBoundingClientRect();
    const hit = (x, y) => control.contains(document.elementFromPoint(x, y));
    const middle = (left + right) / 2;
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight && hit(middle, top + 8) && hit(middle, bottom - 8);
  }, selector);
}

for (const height of [kPhone.height, kPhone.height - kToolbars]) {
  test(`the microphone is whole in a window of 375 x ${height} px, also after many words`, () => withPage({
    browser: kSpeech, fleet: kFast, page: {hasTouch: true, isMobile: true, viewport: {...kPhone, height}},
  }, async (talk, fleet) => {
    await fleet.script({replies: ['A short answer. '.repeat(30)]});
    assert.ok(await isWhole(talk, '#talk'), 'at the start');
    await talk.start();
    assert.ok(await isWhole(talk, '#talk'), 'while it listens');
    await talk.hold(900);
    await talk.waitForPhase('speaking');
    await talk.waitFor(({conversations: [turns]}) => turns.length === 2 && turns.every(({state}) => state === 'final'), 'both transcripts');
    assert.ok(await isWhole(talk, '#talk'), 'while it speaks');
    assert.ok(await talk.page.evaluate(() => scrollTo(0, 0) ?? document.documentElement.scrollHeight > innerHeight), 'there is more than fits');
    assert.ok(await isWhole(talk, '#talk'), 'while the first words are read');
    await talk.screenshot(`phone-375x${height}-light`);
  }));
}

test('a mouse works where a finger would', () => withPage({browser: kSpeech, page: {hasTouch: true}}, async (talk, fleet) => {
  await fleet.script(kShort);
  assert.ok(await talk.page.evaluate(() => navigator.maxTouchPoints > 0));
  await talk.start();
  await talk.turn();
}));

// What a test evaluates in a page counts as a gesture; keys do not need it.
test('sound comes with the gesture that starts, in a browser that plays none unasked', () => withPage({
  browser: {...kSpeech, flags: ['--autoplay-policy=document-user-activation-required']},
}, async (_, fleet, browser) => {
  await fleet.script(kShort);
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const Native = AudioContext;
    window.contexts = [];
    window.AudioContext = class extends Native {
      constructor(...options) {
        super(...options);
        window.contexts.push(this);
      }
    };
    addEventListener('keydown', ({key}) => {
      window.before ??= key === 'Enter' ? window.contexts.map(({state}) => state) : undefined;
    }, true);
  });
  await page.goto(`${fleet.httpUrl}/?processing=off`, {waitUntil: 'networkidle'});
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const phase = (wanted) => page.waitForFunction((name) => document.body.dataset.phase === name, wanted);
  await phase('listening');
  const states = () => page.evaluate(() => [window.before, window.contexts.map(({state}) => state)]);
  assert.deepEqual(await states(), [['suspended'], ['running']]);
  await page.keyboard.down(' ');
  await page.waitForTimeout(900);  // How long a person speaks.
  await page.keyboard.up(' ');
  await phase('speaking');  // The audio thread says so.
  await phase('listening');
}));

test('without TLS the page says why there is no microphone, and opens no session', () => withFleet({gatewayFlags: [`--web_root=${webRoot}`]}, async (fleet) => {
  const browser = await launch({dir: fleet.dir, ...kSpeech, flags: ['--host-resolver-rules=MAP voice.test 127.0.0.1']});
  try {
    const page = await browser.newPage();
    await page.goto(fleet.httpUrl.replace('127.0.0.1', 'voice.test'));
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await page.click('#talk');
    await page.waitForFunction(() => document.body.dataset.phase === 'error');
    assert.match(await page.locator('#problem').innerText(), /no microphone to this address.*https:/s);
    assert.equal((await fleet.journal()).sessions.length, 0);
  } finally {
    await browser.close();
  }
}));
