// An authority of certificates that a test makes, and what shows or refuses them.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';

import grpc from '@grpc/grpc-js';

import {patience} from './process.mjs';
import {within} from './wait.mjs';

const kNewKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

// Keys and certificates are files of `dir`.
export class Authority {
  #issued = 0;

  constructor(dir, name = 'authority') {
    this.dir = dir;
    this.name = name;
    this.certificate = this.#file('ca.pem');
    openssl('req', '-x509', ...kNewKey, '-keyout', this.#file('ca.key'), '-out', this.certificate, '-days', '2', '-subj', `/CN=${name}`);
  }

  // {cert, key, ca}: a certificate for these names, good for so many days, and whom its holder believes.
  issue(subject, {names = 'IP:127.0.0.1', days = 1} = {}) {
    const stem = `${subject}-${++this.#issued}`;
    const [key, request, cert] = ['key', 'csr', 'pem'].map((kind) => this.#file(`${stem}.${kind}`));
    openssl('req', ...kNewKey, '-keyout', key, '-out', request, '-subj', `/CN=${subject}`, '-addext', `subjectAltName=${names}`);
    openssl('x509', '-req', '-in', request, '-CA', this.certificate, '-CAkey', this.#file('ca.key'), '-CAcreateserial', '-days', String(days),
            '-copy_extensions', 'copy', '-out', cert);
    return {cert, key, ca: this.certificate};
  }

  #file(name) {
    return path.join(this.dir, `${this.name}-${name}`);
  }
}

function openssl(...args) {
  execFileSync('openssl', args, {stdio: ['ignore', 'ignore', 'pipe']});
}

// Of our programs; none without an identity.
export function peerFlags(identity) {
  return identity ? [`--peer_cert=${identity.cert}`, `--peer_key=${identity.key}`, `--peer_ca=${identity.ca}`] : [];
}

export function grpcCredentials({ca, key, cert}) {
  return grpc.credentials.createSsl(...[ca, key, cert].map((file) => fs.readFileSync(file)));
}

// The subject's name in the certificate that a TLS listener shows now.
export function shownBy(address) {
  const [host, port] = address.split(':');
  const shown = new Promise((resolve, reject) => {
    const socket = tls.connect({host, port, rejectUnauthorized: false}, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
  return within(shown, 5000 * patience, `the certificate of ${address}`);
}

// As a Kubernetes secret is mounted: the names are links through a link `..data`, which is turned to another directory.
// `files`: {name: what it is to hold, a path}.
export class MountedSecret {
  #version = 0;

  constructor(dir, files) {
    this.dir = dir;
    fs.mkdirSync(dir);
    this.turn(files);
    for (const name of Object.keys(files)) {
      fs.symlinkSync(path.join('..data', name), this.path(name));
    }
  }

  path(name) {
    return path.join(this.dir, name);
  }

  turn(files) {
    const version = `..version-${++this.#version}`;
    fs.mkdirSync(this.path(version));
    for (const [name, from] of Object.entries(files)) {
      fs.copyFileSync(from, path.join(this.dir, version, name));
    }
    fs.symlinkSync(version, this.path('..next'));
    fs.renameSync(this.path('..next'), this.path('..data'));
  }
}
