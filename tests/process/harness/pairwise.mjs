// A small selection out of all combinations, in which any two values that may meet do so at least once.

// `factors`: {name: [value, ...]}; `isAllowed`: of a whole row. All rows, in the order of the values.
export function combinations(factors, isAllowed = () => true) {
  const rows = Object.entries(factors).reduce(
      (partial, [name, values]) => partial.flatMap((row) => values.map((value) => ({...row, [name]: value}))), [{}]);
  return rows.filter(isAllowed);
}

// All pairs of values of a row, as keys.
export function pairsOf(row) {
  const cells = Object.entries(row).map(([name, value]) => `${name}=${value}`);
  return cells.flatMap((one, i) => cells.slice(i + 1).map((other) => `${one}, ${other}`));
}

// Greedy: of all rows always the one that covers most of what is still missing, where a pair counts for more the fewer
// rows have it. Of equal ones the first, so that the same factors give the same selection.
export function pairwise(factors, isAllowed) {
  const candidates = combinations(factors, isAllowed).map((row) => ({row, pairs: pairsOf(row)}));
  const rarity = new Map();
  for (const pair of candidates.flatMap(({pairs}) => pairs)) {
    rarity.set(pair, (rarity.get(pair) ?? 0) + 1);
  }
  const missing = new Set(rarity.keys());
  const worth = ({pairs}) => pairs.filter((pair) => missing.has(pair)).reduce((sum, pair) => sum + 1 + 1 / rarity.get(pair), 0);
  const selected = [];
  while (missing.size > 0) {
    const best = candidates.reduce((one, other) => (worth(other) > worth(one) ? other : one));
    best.pairs.forEach((pair) => missing.delete(pair));
    selected.push(best.row);
  }
  return selected;
}
