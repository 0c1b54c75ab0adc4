// The level of whoever speaks, drawn once per frame: falls slowly, so that the eye can follow.

const kFall = 0.85;       // Per frame.
const kFloorDb = -54;     // Shown as nothing.
const kSaidEveryMs = 500;

// 0..1 on the scale of the ear.
export function loudness(level) {
  const db = 20 * Math.log10(Math.max(level, 1e-6));
  return Math.min(1, Math.max(0, 1 - db / kFloorDb));
}

export class Meter {
  #meter;
  #root;
  #wanted = {input: 0, output: 0};
  #shown = {input: 0, output: 0};
  #drawing = false;
  #saidAt = 0;

  // `meter`: the element with role meter. `root` gets --input-level and --output-level for the style sheet.
  constructor(meter, root) {
    this.#meter = meter;
    this.#root = root;
  }

  show(side, level) {
    this.#wanted[side] = loudness(level);
    if (!this.#drawing) {
      this.#drawing = true;
      requestAnimationFrame((now) => this.#draw(now));
    }
  }

  #draw(now) {
    let moving = false;
    for (const side of ['input', 'output']) {
      const next = Math.max(this.#wanted[side], this.#shown[side] * kFall);
      this.#shown[side] = next < 0.005 ? 0 : next;
      moving ||= this.#shown[side] > 0;
      this.#root.style.setProperty(`--${side}-level`, this.#shown[side].toFixed(3));
    }
    if (now - this.#saidAt > kSaidEveryMs || !moving) {
      this.#saidAt = now;
      this.#meter.setAttribute('aria-valuenow', String(Math.round(this.#shown.input * 100)));
    }
    this.#drawing = moving;
    if (moving) {
      requestAnimationFrame((next) => this.#draw(next));
    }
  }
}
