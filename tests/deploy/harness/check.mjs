// A deployed command line, run as it is: the programs themselves say whether they know its flags.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {root, runBinary} from '../../process/harness.mjs';

// Where files of a deployment are on this machine; `secrets`: made by deploy/make-secrets.
const places = (secrets) => [
  ['/run/secrets/peer/tls.crt', `${secrets}/peer.pem`],
  ['/run/secrets/peer/tls.key', `${secrets}/peer.key`],
  ['/run/secrets/peer/ca.crt', `${secrets}/peer-ca.pem`],
  ['/run/secrets/peer-cert', `${secrets}/peer.pem`],
  ['/run/secrets/peer-key', `${secrets}/peer.key`],
  ['/run/secrets/peer-ca', `${secrets}/peer-ca.pem`],
  ['/run/secrets/voicebridge/', `${secrets}/`],
  ['/run/secrets/', `${secrets}/`],
  ['/run/credentials/worker.flags', `${secrets}/store.flags`],
  ['/run/credentials/', `${secrets}/`],
  ['/etc/voicebridge/gateway.flags', `${secrets}/gateway.flags`],
  ['/etc/voicebridge/profiles', path.join(root, 'bridge_worker/profiles')],
  ['/usr/local/share/voicebridge/web', path.join(root, 'gateway/web')],
];

export function makeSecrets() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-deploy-'));
  const said = execFileSync(path.join(root, 'deploy/make-secrets'), [directory], {encoding: 'utf8', env: {PATH: process.env.PATH}});
  // What stands in the file of a host that has two workers.
  fs.writeFileSync(path.join(directory, 'gateway.flags'), '--workers=127.0.0.1:5101,127.0.0.1:5102\n');
  return {directory, said, remove: () => fs.rmSync(directory, {recursive: true, force: true})};
}

export function localized(text, secrets) {
  for (const [there, here] of places(secrets)) {
    if (text.includes(there)) {
      return text.replace(there, here);
    }
  }
  return text;
}

// What is wrong with the flags of a process; undefined: nothing.
export async function flagProblem({where, program, args, env}, secrets) {
  const words = args.map((word) => localized(word, secrets));
  if (program === 'realtime-simulator') {
    return unknownTo(await runBinary(program, ['--help']), words, where);
  }
  // Where an image has its profiles, nobody has to say it.
  const here = {VOICEBRIDGE_PROFILES: localized('/etc/voicebridge/profiles', secrets)};
  const environment = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, localized(value, secrets)]));
  const {code, stdout, stderr} = await runBinary(program, ['--check', ...words], {env: {...(program === 'voicebridge-worker' ? here : {}), ...environment}});
  return code === 0 && stdout === 'configuration ok' && stderr === '' ? undefined : `${where}: exit code ${code}: ${stderr}`;
}

function unknownTo({stdout}, words, where) {
  const unknown = words.filter((word) => !stdout.split('\n').includes(`  ${word.split('=')[0]}`));
  return unknown.length === 0 ? undefined : `${where}: unknown: ${unknown.join(' ')}`;
}

// What voicebridgectl objects to before it asks the address, where nobody is; undefined: nothing.
export async function ctlProblem(where, script, secrets) {
  const [, command] = /\bvoicebridgectl\s+([^&|;]+)$/.exec(script);
  const words = command.trim().split(/\s+/).map((word) => localized(word, secrets).replace(/^localhost:\d+$/, '127.0.0.1:9'));
  const {stderr} = await runBinary('voicebridgectl', words);
  return /^voicebridgectl: 127\.0\.0\.1:9: UNAVAILABLE/.test(stderr) ? undefined : `${where}: ${stderr}`;
}
