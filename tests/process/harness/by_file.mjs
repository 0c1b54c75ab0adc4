import {basename} from 'node:path';
import {inspect} from 'node:util';
import {errorOf, isFile} from './reported.mjs';

// A reporter for `node --test` that leaves room for what matters in a log of thousands of tests: failures and figures
// as they come, and at the end a line for each file.
export default async function* byFile(source) {
  const files = new Map();
  const ofFile = ({file}) => {
    if (!files.has(file)) {
      files.set(file, {passed: 0, failed: 0, skipped: 0, ms: 0});
    }
    return files.get(file);
  };
  for await (const {type, data} of source) {
    if (type === 'test:stdout' || type === 'test:stderr') {
      yield data.message;
    } else if (type === 'test:diagnostic' && data.file) {
      yield `  ${basename(data.file)}: ${data.message}\n`;
    } else if (type === 'test:fail') {
      ofFile(data).failed += 1;
      yield `✖ ${basename(data.file ?? '')}: ${data.name} (${(data.details.duration_ms / 1000).toFixed(1)} s)\n${inspect(errorOf(data))}\n`;
    } else if (type === 'test:pass' && data.details?.type !== 'suite' && !isFile(data)) {
      ofFile(data)[data.skip ? 'skipped' : 'passed'] += 1;
    }
    if ((type === 'test:pass' || type === 'test:fail') && data.nesting === 0) {
      ofFile(data).ms += data.details.duration_ms;
    }
  }
  for (const [file, {passed, failed, skipped, ms}] of files) {
    const others = [failed && `, ${failed} failed`, skipped && `, ${skipped} skipped`].filter(Boolean).join('');
    if (passed + failed + skipped > 0) {
      yield `${failed ? '✖' : '✔'} ${basename(file ?? '')}: ${passed} passed${others}, ${(ms / 1000).toFixed(1)} s\n`;
    }
  }
}
