// A browser with a recording as its microphone, and the page in it as its users see it.
import fs from 'node:fs';
import path from 'node:path';
import {strict as assert} from 'node:assert';

import {chromium} from 'playwright-core';

import {patience, root, waitUntil, withFleet} from '../../process/harness.mjs';
import {ReceivedAudio} from './frames.mjs';
import {recording} from './recording.mjs';
import {installTap, makeWebRoot} from './tap.mjs';

const kBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const kFlags = [
  '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required', '--no-sandbox', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
export const kArtifacts = path.join(root, 'build/test-artifacts/browser');
export const webRoot = makeWebRoot(path.join(root, 'gateway/web'), path.join(kArtifacts, 'web'));
const kWait = 15000;

// `speech`: pieces of the recording. `microphone`: grant or deny. `flags`: of Chromium; they win over ours.
export async function launch({dir, speech, microphone = 'grant', flags: more = []}) {
  const executablePath = kBrowsers.find((file) => fs.existsSync(file));
  assert.ok(executablePath, 'no browser: install chromium (deploy/install-deps tests)');
  const flags = [...kFlags, microphone === 'deny' ? '--use-fake-ui-for-media-stream=deny' : '--use-fake-ui-for-media-stream'];
  if (speech) {
    flags.push(`--use-file-for-fake-audio-capture=${recording(speech, dir)}`);
  }
  return chromium.launch({executablePath, headless: true, args: [...flags, ...more]});
}

export class TalkPage {
  static async open(browser, fleet, {query = {}, fragment = '', jsonOnly = false, ...options} = {}) {
    const context = await browser.newContext({viewport: {width: 1280, height: 800}, reducedMotion: 'reduce', ...options});
    const page = await context.newPage();
    const talk = new TalkPage(page);
    await installTap(page);
    if (jsonOnly) {
      await page.addInitScript(offerJsonOnly);
    }
    const url = new URL('/', fleet.httpUrl);
    Object.entries({processing: 'off', ...query}).forEach(([name, value]) => url.searchParams.set(name, value));
    url.hash = fragment;
    await page.goto(url.href);
    await page.waitForFunction(() => window.modulesLoaded >= 2);  // All of the page is there.
    return talk;
  }

  constructor(page) {
    this.page = page;
    this.received = new ReceivedAudio(page);
    this.complaints = [];  // Of scripts and of the content security policy.
    page.on('pageerror', (error) => this.complaints.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      // The page asks the endpoint why an upgrade failed; whatever it answers is an error to the browser.
      const isRefusal = /WebSocket connection/.test(message.text()) || /\/v1\/realtime\b/.test(message.location().url);
      if (message.type() === 'error' && !isRefusal) {
        this.complaints.push(message.text());
      }
    });
  }

  get button() {
    return this.page.locator('#talk');
  }

  phase() {
    return this.page.evaluate(() => document.body.dataset.phase);
  }

  async waitForPhase(phase, ms = kWait) {
    let seen;
    await waitUntil(async () => {
      seen = await this.look();
      return seen.phase === phase;
    }, {ms: ms * patience, what: `the phase ${phase}`, got: () => JSON.stringify(seen), every: 20});
  }

  async waitFor(find, what, ms = kWait) {
    let seen;
    return waitUntil(async () => {
      seen = await this.look();
      return find(seen);
    }, {ms: ms * patience, what, got: () => JSON.stringify(seen), every: 20});
  }

  // What a person sees.
  look() {
    return this.page.evaluate(() => {
      const textOf = (selector) => {
        const element = document.querySelector(selector);
        return element && element.checkVisibility() ? element.innerText.trim() : '';
      };
      const turns = (section) => [...section.querySelectorAll('li')].map((row) => ({
        who: row.classList.contains('user') ? 'user' : 'assistant', words: row.querySelector('.words').textContent, state: row.dataset.state,
        mark: row.querySelector('.mark').textContent,
      }));
      return {
        phase: document.body.dataset.phase, state: textOf('#state-name'), hint: textOf('#state-hint'), button: textOf('#talk-name'), problem: textOf('#problem'),
        notice: textOf('#notice'), drain: textOf('#drain'), conversations: [...document.querySelectorAll('.conversation')].map(turns), earlier: document.querySelectorAll('.earlier').length,
      };
    });
  }

  async start() {
    await this.button.click();
    await this.waitForPhase('listening');
  }

  async hold(ms) {
    await this.button.hover();
    await this.page.mouse.down();
    await this.page.waitForTimeout(ms);  // How long a person speaks.
    await this.page.mouse.up();
  }

  // A spoken turn by push-to-talk, to the end of its playback.
  async turn(ms = 1200) {
    await this.hold(ms);
    await this.waitForPhase('speaking');
    await this.waitForPhase('listening', 30000);
  }

  async screenshot(name) {
    fs.mkdirSync(kArtifacts, {recursive: true});
    await this.page.screenshot({path: path.join(kArtifacts, `${name}.png`)});
  }

  async close() {
    await this.page.context().close();
  }
}

// Runs in the page: a server of another make that does not know voicebridge.binary.v1.
function offerJsonOnly() {
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(url, offered) {
      super(url, offered.filter((protocol) => !protocol.startsWith('voicebridge.')));
    }
  };
}

// A fleet that serves the page, a browser in front of it, and no complaint in its console. `page`: options, or a
// function that makes them of the fleet.
export function withPage(options, body) {
  return withFleet({gatewayFlags: [`--web_root=${webRoot}`], ...options.fleet}, async (fleet) => {
    const browser = await launch({dir: fleet.dir, ...options.browser});
    try {
      const page = typeof options.page === 'function' ? await options.page(fleet) : options.page;
      const talk = await TalkPage.open(browser, fleet, page);
      await body(talk, fleet, browser);
      assert.deepEqual(talk.complaints, [], 'errors in the browser console');
      await talk.close();
    } finally {
      await browser.close();
    }
  });
}
