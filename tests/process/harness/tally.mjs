// A reporter for `node --test` that writes one line at the end: `PASSED FAILED`. Skipped tests count as
// neither; a file that could not run counts as failed.
export default async function* tally(source) {
  let passed = 0;
  let failed = 0;
  for await (const event of source) {
    const isTest = event.data?.details?.type !== 'suite' && !event.data?.skip && !event.data?.todo;
    if (event.type === 'test:pass' && isTest && !isFile(event.data)) {
      passed += 1;
    } else if (event.type === 'test:fail' && isTest) {
      failed += 1;
    }
  }
  yield `${passed} ${failed}\n`;
}

// Some versions of Node report each file as a test of its own.
function isFile(data) {
  return data.nesting === 0 && /\.mjs$/.test(data.name);
}
