// The one big button as something to hold: by pointer, touch, Space or Enter. What cannot be held, as the click
// of a screen reader, toggles.

const kHoldKeys = new Set([' ', 'Enter']);

export class TalkButton {
  #element;
  #on;
  #held = false;
  #pointer;
  #keyHandled = false;

  // `on`: {press(), release(), click(), isHold()}. While isHold(), the button is held; else it is clicked.
  constructor(element, on) {
    this.#element = element;
    this.#on = on;
    element.addEventListener('pointerdown', (event) => this.#pointerDown(event));
    for (const type of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      element.addEventListener(type, (event) => this.#pointerUp(event));
    }
    element.addEventListener('keydown', (event) => this.#keyDown(event));
    element.addEventListener('keyup', (event) => this.#keyUp(event));
    element.addEventListener('click', (event) => this.#click(event));
    element.addEventListener('contextmenu', (event) => event.preventDefault());
    // A held button that is no longer seen or focused would never be released.
    element.addEventListener('blur', () => this.letGo());
    window.addEventListener('blur', () => this.letGo());
    document.addEventListener('visibilitychange', () => this.letGo());
  }

  letGo() {
    this.#pointer = undefined;
    if (this.#held) {
      this.#held = false;
      this.#on.release();
    }
  }

  #press() {
    if (!this.#held) {
      this.#held = true;
      this.#on.press();
    }
  }

  #pointerDown(event) {
    if (event.button !== 0 || !this.#on.isHold()) {
      return;
    }
    this.#element.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.#press();
  }

  #pointerUp(event) {
    if (event.pointerId === this.#pointer) {
      this.letGo();
    }
  }

  #keyDown(event) {
    if (!kHoldKeys.has(event.key) || !this.#on.isHold()) {
      return;
    }
    event.preventDefault();  // Enter clicks on the way down.
    this.#keyHandled = true;
    if (!event.repeat) {
      this.#press();
    }
  }

  #keyUp(event) {
    if (kHoldKeys.has(event.key) && this.#keyHandled) {
      event.preventDefault();  // Space clicks on the way up.
      this.#keyHandled = false;
      this.letGo();
    }
  }

  // A click of a pointer has a count of 1 or more and was dealt with while it was held.
  #click(event) {
    if (!this.#on.isHold()) {
      this.#on.click();
    } else if (event.detail === 0) {
      this.#held ? this.letGo() : this.#press();
    }
  }
}
