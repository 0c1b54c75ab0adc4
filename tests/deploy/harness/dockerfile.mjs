// What deploy/docker/Dockerfile says, as far as the tests ask for it.
import {read} from './yaml.mjs';

// By stage: its instructions as {word, rest}, with those of the stage that it is built on before them.
export function stages(text = read('docker/Dockerfile')) {
  const found = new Map();
  let current;
  for (const line of text.replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ').split('\n')) {
    const [, word, rest] = /^(\w+) +(.*?) *$/.exec(line) ?? [];
    if (word === 'FROM') {
      const [, base, name] = /^(\S+) AS (\S+)$/.exec(rest);
      current = [...found.get(base) ?? []];
      found.set(name, current);
    } else if (word && current) {
      current.push({word, rest});
    }
  }
  return found;
}

export const all = (stage, word) => stage.filter((instruction) => instruction.word === word).map(({rest}) => rest);

// What a container of the stage starts, and with which environment.
export function imageOf(target) {
  const stage = stages().get(target);
  const environment = all(stage, 'ENV').flatMap((rest) => rest.split(/ +/)).map((entry) => entry.split('='));
  const [program] = JSON.parse(all(stage, 'ENTRYPOINT').at(-1));
  return {program, env: Object.fromEntries(environment)};
}

export function packagesOf(target) {
  return all(stages().get(target), 'RUN').flatMap((rest) => /install --no-install-recommends +([^&]*)/.exec(rest)?.[1].trim().split(/ +/) ?? []);
}
