// The systemd units.
import {read} from './yaml.mjs';

export const kUnits = ['voicebridge-gateway.service', 'voicebridge-worker@.service'];

const kInstance = '01';

// By key: all values, with continued lines joined.
export function unit(name, text = read(`systemd/${name}`)) {
  const values = new Map();
  for (const line of text.replace(/^[#;].*\n/gm, '').replace(/\\\n/g, ' ').split('\n')) {
    const match = /^(\w+)=(.*)$/.exec(line);
    if (match) {
      values.set(match[1], [...values.get(match[1]) ?? [], match[2].trim()]);
    }
  }
  return values;
}

// As systemd fills in what it knows: the instance, and the directory of its credentials.
export const expanded = (text) => text.replaceAll('%i', kInstance).replaceAll('%d', '/run/credentials');
