// What both reporters read from the events of `node --test`.

// Some versions of Node report each file as a test of its own.
export function isFile(data) {
  return data.nesting === 0 && /\.mjs$/.test(data.name);
}

// The error that the test threw; the runner wraps it.
export function errorOf(data) {
  const error = data.details?.error;
  return error?.cause ?? error;
}

export function firstLineOf(data) {
  const error = errorOf(data);
  return String(error?.message ?? error).split('\n', 1)[0];
}
