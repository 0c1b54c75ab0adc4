// The selection that the drain matrix takes its rows from.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {combinations, pairsOf, pairwise} from './harness/pairwise.mjs';

const kFactors = {colour: ['red', 'green', 'blue'], size: [1, 2, 3, 4], shape: ['round', 'square'], edge: [true, false]};
const isAllowed = ({colour, shape, size}) => !(colour === 'red' && shape === 'round') && !(size === 4 && shape === 'square');
const allPairs = (rows) => new Set(rows.flatMap(pairsOf));

test('every pair of values that may meet does so, none that may not, and always in the same rows', () => {
  const rows = pairwise(kFactors, isAllowed);
  assert.deepEqual(allPairs(rows), allPairs(combinations(kFactors, isAllowed)));
  assert.ok(rows.every(isAllowed));
  assert.ok(!allPairs(rows).has('colour=red, shape=round'));
  assert.deepEqual(pairwise(kFactors, isAllowed), rows);
});

test('the rows are few: hardly more than the two largest factors have pairs', () => {
  assert.ok(pairwise(kFactors).length <= 14, `${pairwise(kFactors).length} rows`);
  assert.equal(combinations(kFactors).length, 48);
});

test('a pair that only one row can have is not forgotten', () => {
  const only = (row) => row.size !== 4 || (row.colour === 'blue' && row.shape === 'round' && row.edge);
  const rows = pairwise(kFactors, only);
  assert.deepEqual(rows.filter(({size}) => size === 4), [{colour: 'blue', size: 4, shape: 'round', edge: true}]);
});
