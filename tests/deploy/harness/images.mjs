// The images, built and run without an engine's daemon and without anybody's registry. It takes root.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {binDir, root, run} from '../../process/harness.mjs';

const kDebian = 'docker.io/library/debian:bookworm-slim';
const kPrograms = ['voicebridge-gateway', 'voicebridge-worker', 'voicebridgectl', 'realtime-simulator'];
const kBuildMs = 600000;

// All that stays on the machine: the packages of Debian, which take two minutes.
const base = path.join(root, 'build/deploy-tests/base.tar');

export class Images {
  static async build(targets) {
    const images = new Images();
    try {
      await images.#import();
      for (const target of targets) {
        await images.#run('buildah', [
          'build', '--layers', '--isolation', 'chroot', '--network', 'host', '--pull-never', '--format', 'docker',
          '--build-context', `compiled=${images.#compiled()}`, '--target', target, '--tag', `voicebridge-${target}`,
          '--file', path.join(root, 'deploy/docker/Dockerfile'), root,
        ], kBuildMs);
      }
    } catch (error) {
      await images.remove();
      throw error;
    }
    return images;
  }

  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-images-'));
    const file = (name, text) => {
      fs.writeFileSync(path.join(this.dir, name), text);
      return path.join(this.dir, name);
    };
    // The other one copies every file for every step.
    const driver = /\toverlay$/m.test(fs.readFileSync('/proc/filesystems', 'utf8')) ? 'overlay' : 'vfs';
    const files = execFileSync('sh', ['-c', 'ulimit -Hn'], {encoding: 'utf8'}).trim();
    this.env = {
      // No more than this machine lets anybody have.
      CONTAINERS_CONF: file('containers.conf', `[containers]\ndefault_ulimits = ["nofile=${files}:${files}", "nproc=4096:4096"]\n` +
          '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'),
      CONTAINERS_STORAGE_CONF: file('storage.conf', `[storage]\ndriver = "${driver}"\ngraphroot = "${this.dir}/graph"\nrunroot = "${this.dir}/run"\n`),
    };
  }

  async #import() {
    if (!fs.existsSync(base)) {
      fs.mkdirSync(path.dirname(base), {recursive: true});
      const partial = `${base}.${process.pid}.tar`;
      const mirrors = ['debian bookworm', 'debian bookworm-updates', 'debian-security bookworm-security'];
      await this.#run('mmdebstrap', [
        '--variant=minbase', '--mode=root', 'bookworm', partial, ...mirrors.map((mirror) => `deb http://deb.debian.org/${mirror} main`),
      ], kBuildMs);
      fs.renameSync(partial, base);
    }
    await this.podman('import', '--quiet', base, kDebian);
  }

  // The programs without what only a debugger reads, as the build stage leaves them.
  #compiled() {
    const directory = path.join(this.dir, 'compiled');
    if (!fs.existsSync(directory)) {
      fs.mkdirSync(directory);
      kPrograms.forEach((program) => execFileSync('strip', ['-o', path.join(directory, program), path.join(binDir, program)]));
    }
    return directory;
  }

  async #run(program, args, ms) {
    const result = await run(program, args, {ms, env: this.env});
    if (result.code !== 0) {
      throw new Error(`${program} ${args.join(' ')}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`);
    }
    return result.stdout;
  }

  podman(...args) {
    return this.#run('podman', args, 120000);
  }

  async inspect(target) {
    return JSON.parse(await this.podman('image', 'inspect', `voicebridge-${target}`))[0];
  }

  // A container on a root that it cannot write, without capabilities, and without any network but the one of `beside`.
  async start(target, {beside, volumes = [], env = {}, args = []} = {}) {
    await this.podman(
        'run', '--detach', '--name', target, '--read-only', '--read-only-tmpfs=false', '--cap-drop=all', '--security-opt=no-new-privileges',
        `--network=${beside ? `container:${beside}` : 'none'}`, '--health-interval=disable', ...volumes.map((volume) => `--volume=${volume}`),
        ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`), `voicebridge-${target}`, ...args);
  }

  async isHealthy(name) {
    return (await run('podman', ['healthcheck', 'run', name], {env: this.env, ms: 30000})).code === 0;
  }

  // As an orchestrator does it; how it ended, and after how long.
  async stop(name, grace) {
    const from = performance.now();
    await this.podman('stop', '--time', String(grace), name);
    const ms = performance.now() - from;
    return {ms, code: Number(await this.podman('inspect', '--format', '{{.State.ExitCode}}', name))};
  }

  async remove() {
    await run('podman', ['rm', '--force', '--all', '--time', '0'], {env: this.env, ms: 60000});
    await run('podman', ['rmi', '--force', '--all'], {env: this.env, ms: 120000});
    fs.rmSync(this.dir, {recursive: true, force: true});
  }
}
