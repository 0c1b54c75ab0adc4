// An interview on the page, in front of a fake gateway: one browser per test file, a context per test.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before} from 'node:test';

import {FakeGateway} from './fake_gateway.mjs';
import {kArtifacts, launch, TalkPage} from './page.mjs';
import {kReport, kSummary} from './report_sample.mjs';

export {kReport, kSummary};

export const kAssessment = 'assessment_1';

// To be called once per file; gives a function that runs one test on a page of its own.
export function interviewPages() {
  let browser;
  let dir;
  before(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-interview-'));
    browser = await launch({dir, speech: ['vm-goodbye', 300]});
  });
  after(async () => {
    await browser.close();
    fs.rmSync(dir, {recursive: true, force: true});
  });
  return (body, {page = {}, setUp = () => {}} = {}) => async () => {
    const gateway = await FakeGateway.start();
    setUp(gateway);
    const talk = await TalkPage.open(browser, gateway, {query: {profile: 'interview'}, jsonOnly: true, ...page});
    try {
      await body(talk, gateway);
      assert.deepEqual(talk.complaints, [], 'errors in the browser console');
    } finally {
      await talk.close();
      await gateway.stop();
    }
  };
}

// Events of the worker.
export const started = {type: 'voicebridge.assessment.started', assessment_id: kAssessment, reason: 'The learner reached the ceiling.'};
export const queued = (position) => ({type: 'voicebridge.assessment.progress', assessment_id: kAssessment, stage: 'queued', position});
export const writing = (attempt) => ({type: 'voicebridge.assessment.progress', assessment_id: kAssessment, stage: 'writing', attempt});
export const completed = (report = kReport, id = kAssessment) => ({type: 'voicebridge.assessment.completed', assessment_id: id, report, summary: kSummary});
export const failed = {
  type: 'voicebridge.assessment.failed', assessment_id: kAssessment, reason: 'model_output', message: 'The assessment could not be written. Please try again.', retryable: true,
};

export async function reportShown(talk, gateway, report = kReport) {
  await talk.start();
  gateway.send(started, completed(report));
  await talk.waitForPhase('report');
}

// What a person sees of the end of an interview.
export function lookAtEnd(talk) {
  return talk.page.evaluate(() => {
    const visible = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
    const textsOf = (selector) => visible(selector).map((each) => each.innerText.trim());
    return {
      panel: textsOf('#assessment-name')[0], hint: textsOf('.assessment-hint')[0], steps: textsOf('.steps li'), now: textsOf('.steps [aria-current]')[0], notice: textsOf('.assessment .message')[0],
      elapsed: textsOf('.elapsed')[0], buttons: textsOf('button'), title: textsOf('#report-title')[0], level: textsOf('.scale [aria-current]')[0], summary: textsOf('.summary > p')[0],
      reports: visible('#report').length, errors: textsOf('.errors li'), domains: textsOf('.domain h4'), focus: document.activeElement.id, text: visible('#report')[0]?.innerText ?? '',
    };
  });
}

export async function shoot(talk, name) {
  fs.mkdirSync(kArtifacts, {recursive: true});
  await talk.page.screenshot({path: path.join(kArtifacts, `${name}.png`), fullPage: true});
}
