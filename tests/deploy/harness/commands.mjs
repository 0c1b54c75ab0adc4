// Everything that the deployment files start, with the flags and the environment that it gets.
import path from 'node:path';

import {imageOf} from './dockerfile.mjs';
import {deploymentsOf} from './kubernetes.mjs';
import {expanded, kUnits, unit} from './units.mjs';
import {compose, secondsOf} from './yaml.mjs';

const targetOf = (image) => image.replace(/^voicebridge-/, '').replace(/:.*/, '');

// {where, program, args, env}; of gateways and workers also `grace`, in seconds, and `drains`: the commands before SIGTERM.
export function processes() {
  return [...ofCompose(), ...ofKubernetes('base'), ...ofKubernetes('local'), ...ofSystemd()];
}

function ofImage(where, image, args, env) {
  const built = imageOf(targetOf(image));
  return {where, program: built.program, args, env: {...built.env, ...env}};
}

function ofCompose() {
  return Object.entries(compose().services).filter(([, {image}]) => image.startsWith('voicebridge-')).map(([name, service]) => ({
    ...ofImage(`compose.yaml, ${name}`, service.image, service.command ?? [], service.environment),
    grace: secondsOf(service.stop_grace_period), drains: [],
  }));
}

function ofKubernetes(overlay) {
  return deploymentsOf(overlay).flatMap(({spec: {template: {spec: pod}}}) => [...pod.initContainers ?? [], ...pod.containers].map((container) => {
    const env = Object.fromEntries((container.env ?? []).map(({name, value}) => [name, value]));
    const preStop = container.lifecycle?.preStop.exec.command;
    return {
      ...ofImage(`kubernetes/${overlay}, ${container.name}`, container.image, container.args ?? [], env),
      grace: pod.terminationGracePeriodSeconds, drains: preStop ? [preStop.at(-1)] : [],
    };
  }));
}

function ofSystemd() {
  return kUnits.map((name) => {
    const values = unit(name);
    const [program, ...args] = expanded(values.get('ExecStart').at(-1)).split(/ +/);
    const environment = (values.get('Environment') ?? []).map((entry) => expanded(entry).split('='));
    return {
      where: `systemd/${name}`, program: path.basename(program), args, env: Object.fromEntries(environment),
      grace: secondsOf(values.get('TimeoutStopSec').at(-1)), drains: [],
    };
  });
}

export const isOurs = ({program}) => ['voicebridge-gateway', 'voicebridge-worker'].includes(program);

// The value of a flag of a command line, in seconds.
export const secondsOfFlag = (words, flag) => words.map((word) => new RegExp(`^--${flag}=(.*)$`).exec(word)?.[1]).filter(Boolean).map(secondsOf).at(-1);

// How long it may take from the order to stop until the process is gone by itself.
export function secondsToEnd({args, drains}) {
  const before = drains.map((script) => {
    const sleep = /\bsleep (\S+?);/.exec(script)?.[1] ?? '0';
    return secondsOf(sleep) + secondsOfFlag(script.split(/\s+/), 'budget');
  });
  return [secondsOfFlag(args, 'drain_budget'), ...before].reduce((sum, each) => sum + each);
}

// What is wrong with the time that it is given; undefined: nothing. Above means by more than a busy machine needs.
const kMargin = 2;
export function graceProblem(process) {
  const needed = secondsToEnd(process);
  return process.grace >= needed + kMargin ? undefined : `${process.where}: ${process.grace} s to stop, and ${needed} s are needed and ${kMargin} s to spare`;
}
