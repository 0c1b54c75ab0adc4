// Shows the state: the only place that changes the fixed elements of the page.
import {kInterviewTexts} from './interview-messages.js';
import {isAfterInterview, isInterview} from './interview-state.js';
import {drainTexts, kActions, kProblems, kTexts, noticeText, stateTexts} from './messages.js';
import {isAtRest, isConversing} from './state.js';

// What pressing the big button means now.
export function actionOf(state) {
  if (state.phase === 'idle') {
    return 'start';
  }
  if (state.phase === 'ended') {
    return 'again';
  }
  if (state.phase === 'error') {
    return 'retry';
  }
  if (!isConversing(state) || state.ending || state.drain?.isLast) {
    return 'wait';
  }
  if (state.mode === 'free') {
    return state.muted ? 'unmute' : 'mute';
  }
  if (state.hearing) {
    return 'release';
  }
  return state.phase === 'listening' ? 'hold' : 'interrupt';
}

export class View {
  #elements;
  #shown = {};

  constructor(document) {
    const byId = (id) => document.getElementById(id);
    this.#elements = {
      body: document.body, talk: byId('talk'), talkName: byId('talk-name'), stateName: byId('state-name'), stateHint: byId('state-hint'),
      problem: byId('problem'), problemTitle: byId('problem-title'), problemAdvice: byId('problem-advice'), notice: byId('notice'),
      drain: byId('drain'), drainText: byId('drain-text'), drainClock: byId('drain-clock'),
      end: byId('end'), finish: byId('finish'), lastReport: byId('last-report'), side: byId('talk-side'), modes: document.querySelectorAll('input[name=mode]'),
    };
    for (const element of document.querySelectorAll('[data-text]')) {
      element.textContent = kTexts[element.dataset.text];
    }
    byId('meter').setAttribute('aria-label', kTexts.level);
    document.title = `${kTexts.appName}: ${kTexts.tagline.toLowerCase()}`;
  }

  show(state) {
    const {body, talk, end, finish, lastReport, side, modes} = this.#elements;
    const action = actionOf(state);
    body.dataset.phase = state.phase;
    body.dataset.mode = state.mode;
    body.dataset.action = action;
    body.dataset.hearing = String(state.hearing);
    body.dataset.muted = String(state.muted);
    body.dataset.drain = state.drain ? (state.drain.isLast ? 'last' : 'told') : '';
    talk.setAttribute('aria-disabled', String(action === 'wait'));
    end.hidden = isAtRest(state) || isAfterInterview(state);
    finish.hidden = !isConversing(state) || !isInterview(state) || state.ending;
    lastReport.hidden = !isAtRest(state) || isAfterInterview(state) || !state.assessed;
    side.hidden = isAfterInterview(state);
    modes.forEach((mode) => {
      mode.checked = mode.value === state.mode;
    });
    this.#showTexts(state, action);
  }

  #showTexts(state, action) {
    const {name, hint} = stateTexts(state);
    const problem = kProblems[state.problem];
    this.#text('talkName', kActions[action]);
    this.#text('stateName', name);
    this.#text('stateHint', hint);
    this.#text('problemTitle', problem?.title ?? '');
    this.#text('problemAdvice', problem?.advice ?? '');
    this.#text('notice', noticeText(state));
    this.#showDrain(drainTexts(state));
    this.#text('end', state.phase === 'connecting' ? kTexts.cancel : isInterview(state) ? kInterviewTexts.leave : kTexts.end);
    this.#elements.problem.hidden = !problem;
    this.#elements.problem.dataset.tone = state.phase === 'error' ? 'error' : 'calm';
  }

  #showDrain(texts) {
    this.#elements.drain.hidden = texts === undefined;
    this.#text('drainText', texts?.text ?? '');
    this.#text('drainClock', texts?.clock ?? '');
  }

  // Only a change is written: a live region would read out the same text again.
  #text(element, text) {
    if (this.#shown[element] !== text) {
      this.#shown[element] = text;
      this.#elements[element].textContent = text;
    }
  }
}
