// What a process says on standard error: one JSON object a line.

// All its lines, as objects.
export function linesOf(process) {
  return process.lines.filter(({stream, text}) => stream === 'err' && text.startsWith('{')).map(({text}) => JSON.parse(text));
}

// Those with this event.
export function logged(process, event) {
  return linesOf(process).filter((line) => line.event === event);
}
