// The time that an announced drain leaves a conversation.

// So long before its end the microphone is closed: what is being said is handed over, and kept.
export const kLastWordsMs = 1000;
// Whoever is still connected so long after the end was told of a drain that was called off.
export const kGraceMs = 5000;

export class DrainClock {
  #on;
  #clock;
  #end;
  #isLast = false;
  #timer;

  // `on`: {tick(seconds), lastWords(), calledOff()}; lastWords() once, after which only ticks come.
  constructor({on, clock = kClock}) {
    this.#on = on;
    this.#clock = clock;
  }

  // A later announcement takes the place of an earlier one.
  announce(ms) {
    this.stop();
    this.#end = this.#clock.now() + Math.max(0, ms || 0);
    this.#look();
  }

  stop() {
    this.#clock.forget(this.#timer);
    this.#isLast = false;
  }

  #look() {
    const left = this.#end - this.#clock.now();
    if (left <= -kGraceMs) {
      this.#on.calledOff();
      return;
    }
    this.#on.tick(Math.max(0, Math.ceil(left / 1000)));
    if (!this.#isLast && left <= kLastWordsMs) {
      this.#isLast = true;
      this.#on.lastWords();
    }
    this.#timer = this.#clock.after(untilNextChange(left), () => this.#look());
  }
}

// The next whole second; lastWords() and the end of the grace fall on one.
function untilNextChange(left) {
  return left - (Math.ceil(left / 1000) - 1) * 1000;
}

const kClock = {
  now: () => performance.now(),
  after: (ms, act) => setTimeout(act, ms),
  forget: (timer) => clearTimeout(timer),
};
