import {relative} from 'node:path';
import {firstLineOf, isFile} from './reported.mjs';

// A reporter for `node --test`: a line for each test that failed, and at the end `PASSED FAILED`. Skipped tests
// count as neither; a file that could not run counts as failed.
export default async function* tally(source) {
  let passed = 0;
  let failed = 0;
  for await (const event of source) {
    const isTest = event.data?.details?.type !== 'suite' && !event.data?.skip && !event.data?.todo;
    if (event.type === 'test:pass' && isTest && !isFile(event.data)) {
      passed += 1;
    } else if (event.type === 'test:fail' && isTest) {
      failed += 1;
      yield `${relative('.', event.data.file ?? '.')}: ${event.data.name}: ${firstLineOf(event.data)}\n`;
    }
  }
  yield `${passed} ${failed}\n`;
}
