// From the reports of single runs to medians, ratios and a table. Pure.

// What a run is judged by. `processes` is the whole chain; CPU and memory are sums over it.
export function figuresOf(report, pids) {
  const chain = report.processes.filter((process) => pids.includes(process.pid));
  const sum = (field) => chain.reduce((total, process) => total + process[field], 0);
  return {
    cpu_us_per_frame: sum('cpu_us_per_frame'),
    switches_per_frame: sum('voluntary_switches_per_frame'),
    kib_per_session: sum('rss_kib_per_session'),
    p50_ms: report.round_trip_ms.p50,
    p99_ms: report.round_trip_ms.p99,
    late_share: report.frames.late / Math.max(1, report.round_trip_ms.count),
    tool_us_per_frame: report.own_cpu_us_per_frame + toolUpstream(report, pids),
    lost: report.frames.lost,
    ok: report.ok,
  };
}

function toolUpstream(report, pids) {
  const other = report.processes.filter((process) => !pids.includes(process.pid));
  return other.reduce((total, process) => total + process.cpu_us_per_frame, 0);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// `runs`: [{sessions, target, figures}]. One row per size and target.
export function summarize(runs) {
  const rows = [];
  for (const sessions of new Set(runs.map((run) => run.sessions))) {
    const same = runs.filter((run) => run.sessions === sessions);
    const byTarget = [...new Set(same.map((run) => run.target))].map((target) => summarizeTarget(sessions, target, same));
    const of = (target) => byTarget.find((row) => row.target === target);
    rows.push(...byTarget.map((row) => relate(row, of('direct'), of('haproxy'))));
  }
  return rows;
}

function summarizeTarget(sessions, target, runs) {
  const figures = runs.filter((run) => run.target === target).map((run) => run.figures);
  const medianOf = (field) => median(figures.map((each) => each[field]));
  const row = {sessions, target, rounds: figures.length};
  for (const field of ['cpu_us_per_frame', 'switches_per_frame', 'kib_per_session', 'p50_ms', 'p99_ms', 'late_share', 'tool_us_per_frame']) {
    row[field] = rounded(medianOf(field));
  }
  row.lost = figures.reduce((total, each) => total + each.lost, 0);
  row.ok = figures.every((each) => each.ok);
  return row;
}

// Ratios of medians, and what the chain adds to the way without it.
function relate(row, direct, haproxy) {
  const measured = row.target !== 'direct';
  return {
    ...row,
    cpu_ratio: measured && haproxy ? rounded(row.cpu_us_per_frame / haproxy.cpu_us_per_frame) : null,
    added_p50_ms: measured && direct ? rounded(row.p50_ms - direct.p50_ms) : null,
    added_p99_ms: measured && direct ? rounded(row.p99_ms - direct.p99_ms) : null,
  };
}

function rounded(value) {
  return Number(value.toFixed(3));
}

const kQuietP99Ms = 3;

const kColumns = [
  ['sessions', (row) => String(row.sessions)],
  ['way', (row) => row.target],
  ['CPU us/frame', (row) => shown(row.cpu_us_per_frame, 1, row)],
  ['ratio', (row) => (row.cpu_ratio === null ? '' : row.cpu_ratio.toFixed(2))],
  ['switches/frame', (row) => shown(row.switches_per_frame, 2, row)],
  ['p50 / p99 ms', (row) => `${row.p50_ms.toFixed(2)} / ${row.p99_ms.toFixed(2)}`],
  ['added p50 / p99 ms', (row) => (row.added_p50_ms === null ? '' : `${row.added_p50_ms.toFixed(2)} / ${row.added_p99_ms.toFixed(2)}`)],
  ['KiB/session', (row) => shown(row.kib_per_session, 0, row)],
  ['lost', (row) => String(row.lost)],
];

function shown(value, digits, row) {
  return row.target === 'direct' ? '' : value.toFixed(digits);
}

// Markdown.
export function table(rows) {
  const lines = [kColumns.map(([title]) => title), kColumns.map(() => '---'), ...rows.map((row) => kColumns.map(([, cell]) => cell(row)))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

// The way without anything in between is answered within a fraction of a millisecond; where it is not, something else
// used the machine, and the figures of that size are not to be relied on.
export function warnings(rows) {
  return rows.filter((row) => row.target === 'direct' && row.p99_ms > kQuietP99Ms)
      .map((row) => `the machine was busy at ${row.sessions} sessions: p99 of the direct way is ${row.p99_ms.toFixed(1)} ms, on a quiet one it is under ${kQuietP99Ms} ms`);
}

// Why the comparison fails; empty: it does not.
export function failures(rows, ratioMax) {
  const found = rows.filter((row) => !row.ok).map((row) => `${row.target} at ${row.sessions} sessions: frames were lost or changed`);
  for (const row of rows) {
    if (row.target.startsWith('voicebridge') && row.cpu_ratio > ratioMax) {
      found.push(`${row.target} at ${row.sessions} sessions costs ${row.cpu_ratio.toFixed(2)} times HAProxy's CPU per frame, at most ${ratioMax} is allowed`);
    }
  }
  return found;
}
