// An interview on the page, in front of a fake gateway: one browser per test file, a context per test.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before} from 'node:test';

import {FakeGateway} from './fake_gateway.mjs';
import {kArtifacts, launch, TalkPage} from './page.mjs';

export const kAssessment = 'assessment_1';

export const kReport = {
  proficiency_level: 'B1',
  ceiling_phase: 'level-up',
  ceiling_analysis: 'You told your weekend in order and gave a reason for each choice. Asked whether life in a city is fairer than in the country, you changed to single words and then to English.',
  domain_analyses: [
    {domain: 'fluency_interaction', rating: 6, observation: 'Your turns are three or four sentences long and you react to the interviewer. Longer pauses come before reasons.', evidence: '어… 저는 주말에 친구하고 한강에 가서 자전거를 탔어요.'},
    {domain: 'grammar', rating: 5, observation: 'Past tense and -아서/어서 are safe. Quotations and conditions are avoided.', evidence: '비가 오면… 오니까 못 갔어요.'},
    {domain: 'lexical', rating: 4, observation: 'Everyday words come quickly; for opinions you repeat 좋다 and 나쁘다.', evidence: '도시는 좋아요. 시골도 좋아요. 그냥 좋아요.'},
    {domain: 'coherence', rating: 7, observation: 'The order of events is clear throughout, with 그래서 and 그런데 in the right places.', evidence: '그런데 자전거가 고장 나서 그래서 걸어서 왔어요.'},
    {domain: 'pragmatic', rating: 5, observation: '-아요/어요 is steady. Under pressure the softening disappears.', evidence: '몰라요. 아니요.'},
  ],
  starting_module: 'B1-2 Giving and weighing opinions',
  logic_errors_to_debug: [
    'You said "저는 생각해요 도시가 좋아요". Better: "저는 도시가 좋다고 생각해요." The thought comes before 고, the verb at the end.',
    'You said "친구를 만나서 재미있었어요 때문에". Better: "친구를 만났기 때문에 재미있었어요." 때문에 follows -기, not the finished verb.',
  ],
  optimization_strategy: 'Every evening, say for one minute what you think about one piece of news, with two reasons and one "but". Record it, and listen for -다고 생각하다.',
};

export const kSummary = 'You speak Korean at level B1. Your strongest side is how you order your story. Start with module B1-2.';

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
