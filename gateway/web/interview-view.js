// Shows how an assessment goes, or why there is no report: a panel in the place of the talk button.
import {button, element} from './elements.js';
import {assessmentTexts, kFailures, kInterviewTexts, stepTexts} from './interview-messages.js';
import {noticeText} from './messages.js';

const kTickMs = 1000;

export class InterviewView {
  #panel;
  #name;
  #hint;
  #notice;
  #elapsed;
  #steps;
  #retry;
  #anew;
  #shown = {};
  #began;
  #ticking;

  // `on`: {retry(), startAnew()}.
  constructor(panel, on) {
    this.#panel = panel;
    this.#name = element('h2');
    this.#name.id = 'assessment-name';
    this.#name.tabIndex = -1;
    this.#hint = element('p', 'assessment-hint');
    this.#notice = element('p', 'message');
    this.#notice.setAttribute('role', 'status');
    this.#elapsed = element('span', 'elapsed');
    this.#steps = element('ol', 'steps');
    this.#steps.setAttribute('aria-label', kInterviewTexts.steps);
    const state = element('div', 'state', this.#name, this.#hint);
    state.setAttribute('role', 'status');
    const ring = element('div', 'orb waiting', this.#elapsed);
    ring.setAttribute('aria-hidden', 'true');  // A clock that is read out every second is noise.
    this.#retry = button('primary', '', on.retry);
    this.#retry.id = 'retry-assessment';
    this.#anew = button('quiet', kInterviewTexts.newInterview, on.startAnew);
    this.#anew.id = 'new-instead';
    panel.append(state, ring, this.#steps, this.#notice, element('div', 'choices', this.#retry, this.#anew));
  }

  focus() {
    this.#name.focus();
  }

  show(state) {
    const isWaiting = state.phase === 'assessing';
    this.#panel.dataset.state = state.phase;
    this.#anew.hidden = isWaiting && state.live;
    this.#retry.hidden = isWaiting || state.failure?.retry === null;
    this.#panel.hidden = !isWaiting && state.phase !== 'failed';
    this.#tick(isWaiting);
    if (isWaiting) {
      const {name, hint} = assessmentTexts(state);
      this.#texts(name, hint);
      this.#showSteps(state.assessment);
    } else if (state.phase === 'failed') {
      this.#showFailure(state.failure);
    }
    this.#text('notice', this.#notice, noticeText(state));
  }

  #showFailure({name, message, retry}) {
    const {title, advice} = kFailures[name];
    this.#texts(title, message || advice);
    this.#text('retry', this.#retry, retry === 'ask' ? kInterviewTexts.askAgain : kInterviewTexts.retry);
  }

  #showSteps(assessment) {
    const steps = stepTexts(assessment);
    const key = JSON.stringify(steps);
    if (this.#shown.steps === key) {
      return;
    }
    this.#shown.steps = key;
    this.#steps.replaceChildren(...steps.map(({text, done, now}) => {
      const step = element('li', done ? 'done' : '', text);
      if (now) {
        step.setAttribute('aria-current', 'step');
      }
      return step;
    }));
  }

  #tick(isWaiting) {
    if (isWaiting === (this.#ticking !== undefined)) {
      return;
    }
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    if (isWaiting) {
      this.#began = performance.now();
      this.#ticking = setInterval(() => this.#showElapsed(), kTickMs);
      this.#showElapsed();
    }
  }

  #showElapsed() {
    const seconds = Math.round((performance.now() - this.#began) / 1000);
    this.#elapsed.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }

  #texts(name, hint) {
    this.#text('name', this.#name, name);
    this.#text('hint', this.#hint, hint);
  }

  // Only a change is written: a live region would read out the same text again.
  #text(key, target, text) {
    if (this.#shown[key] !== text) {
      this.#shown[key] = text;
      target.textContent = text;
    }
  }
}
