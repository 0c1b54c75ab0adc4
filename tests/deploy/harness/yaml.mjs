// The deployment files as values.
import fs from 'node:fs';
import path from 'node:path';

import {load, loadAll, YAML11_SCHEMA} from 'js-yaml';

import {root} from '../../process/harness.mjs';

export const deployDir = path.join(root, 'deploy');

export const read = (file) => fs.readFileSync(path.join(deployDir, file), 'utf8');

// ${NAME}, ${NAME:-DEFAULT} and ${NAME-DEFAULT}, as compose does it with an empty environment.
const interpolated = (text) => text.replace(/\$\{\w+(?::?-([^}]*))?\}/g, (_, otherwise = '') => otherwise);

export const parseCompose = (text) => load(interpolated(text), {schema: YAML11_SCHEMA});

export const compose = () => parseCompose(read('compose.yaml'));

export const parseObjects = (text) => loadAll(text).filter(Boolean);

// 10s, 500ms, 5min, 2h; a bare number is of seconds.
export function secondsOf(text) {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(String(text));
  if (!match) {
    throw new Error(`no time: ${text}`);
  }
  return Number(match[1]) * {ms: 0.001, s: 1, m: 60, min: 60, h: 3600}[match[2] ?? 's'];
}
