// How long things took, as a test prints it.
export class Figures {
  constructor() {
    this.ms = [];
  }

  add(...ms) {
    this.ms.push(...ms);
  }

  // Of those that are not below the quantile, the least.
  quantile(quantile) {
    const sorted = [...this.ms].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))];
  }

  get max() {
    return Math.max(...this.ms);
  }

  toString() {
    const text = (ms) => `${Math.round(ms)} ms`;
    return this.ms.length === 0 ? 'none' : `${this.ms.length} ends: p50 ${text(this.quantile(0.5))}, p99 ${text(this.quantile(0.99))}, max ${text(this.max)}`;
  }
}
