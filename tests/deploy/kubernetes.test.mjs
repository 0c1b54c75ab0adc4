// The manifests: built by kustomize, valid by their schemas, and consistent with each other.
import {strict as assert} from 'node:assert';
import {describe, test} from 'node:test';

import {deploymentsOf, nameOf, objectsOf, problemsOf} from './harness/kubernetes.mjs';

const podOf = (deployment) => deployment.spec.template.spec;
const containersOf = (pod) => [...pod.initContainers ?? [], ...pod.containers];
const selects = (labels, pod) => Object.entries(labels ?? {}).every(([key, value]) => pod.metadata.labels[key] === value);

test('a field that there is not, a wrong type and a missing field are found', async () => {
  const [deployment] = deploymentsOf('base');
  const planted = (change) => {
    const copy = structuredClone(deployment);
    change(copy.spec);
    return problemsOf(copy);
  };
  assert.deepEqual(await planted((spec) => spec.template.spec.terminationGracePeriod = 5), ['there is no field /spec/template/spec/terminationGracePeriod']);
  assert.match((await planted((spec) => spec.template.spec.terminationGracePeriodSeconds = '5s')).join(), /terminationGracePeriodSeconds/);
  assert.match((await planted((spec) => delete spec.selector)).join(), /selector/);
  assert.deepEqual(await problemsOf({...deployment, apiVersion: 'apps/v1', kind: 'Deploymnt'}), ['there is no Deploymnt in apps/v1']);
});

for (const overlay of ['base', 'local']) {
  describe(`kubernetes/${overlay}`, () => {
    const pods = () => deploymentsOf(overlay).map(({spec}) => spec.template);

    test(`each object of ${overlay} is valid`, async () => {
      for (const object of objectsOf(overlay)) {
        assert.deepEqual(await problemsOf(object), [], nameOf(object));
      }
    });

    test(`each selector of ${overlay} finds pods, each port and each scaled object is there`, () => {
      for (const object of objectsOf(overlay)) {
        const {spec} = object;
        const labels = {
          Deployment: () => spec.selector.matchLabels, Service: () => spec.selector, PodDisruptionBudget: () => spec.selector.matchLabels,
          NetworkPolicy: () => spec.podSelector.matchLabels,
        }[object.kind]?.();
        const found = pods().filter((pod) => selects(labels, pod));
        assert.ok(labels === undefined || found.length > 0, `${nameOf(object)} selects nothing`);
        const named = found.flatMap((pod) => pod.spec.containers.flatMap(({ports}) => ports));
        for (const {targetPort} of object.kind === 'Service' ? spec.ports : []) {
          assert.ok(named.some(({name}) => name === targetPort), `${nameOf(object)}: no port ${targetPort}`);
        }
        for (const {ports} of object.kind === 'NetworkPolicy' ? spec.ingress : []) {
          for (const {port} of ports) {
            assert.ok(named.some(({containerPort}) => containerPort === port), `${nameOf(object)}: no port ${port}`);
          }
        }
        if (object.kind === 'HorizontalPodAutoscaler') {
          assert.ok(deploymentsOf(overlay).some(({metadata}) => metadata.name === spec.scaleTargetRef.name), nameOf(object));
        }
      }
    });

    test(`each pod of ${overlay} runs as nobody, on a root that it cannot write, with no capability`, () => {
      for (const {spec} of pods()) {
        assert.equal(spec.securityContext.runAsNonRoot, true);
        assert.equal(spec.securityContext.runAsUser, 65532);
        assert.deepEqual(spec.securityContext.seccompProfile, {type: 'RuntimeDefault'});
        assert.equal(spec.automountServiceAccountToken, false);
        for (const container of containersOf(spec)) {
          assert.deepEqual(container.securityContext, {
            allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: ['ALL']},
          }, container.name);
        }
      }
    });

    test(`each pod of ${overlay} is watched at its ops port, and only readiness asks whether it drains`, () => {
      for (const {spec: {containers: [container]}} of pods()) {
        const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => container[probe].httpGet.path);
        assert.deepEqual(paths, ['/healthz', '/healthz', '/readyz']);
        for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
          assert.equal(container[probe].httpGet.port, 'ops');
        }
        assert.match(container.lifecycle.preStop.exec.command.at(-1), /voicebridgectl drain localhost:9091 --mode=finish/);
      }
    });
  });
}

test('of the ports between our own processes only gateways reach the workers, and nobody the admin ports', () => {
  const policies = objectsOf('base').filter(({kind}) => kind === 'NetworkPolicy');
  const open = policies.flatMap(({spec}) => spec.ingress.flatMap(({from, ports}) => ports.map(({port}) => [spec.podSelector.matchLabels, port, from])));
  const grpc = open.filter(([, port]) => port === 50051);
  assert.deepEqual(grpc.map(([, , from]) => from), [[{podSelector: {matchLabels: {'app.kubernetes.io/name': 'voicebridge-gateway'}}}]]);
  assert.ok(open.every(([, port, from]) => port === 8080 || from?.length > 0), 'only the public port is for all');
  assert.ok(!open.some(([, port]) => port === 9091));
});

test('the service of the workers is headless and names those that are not ready, too', () => {
  const service = objectsOf('base').find(({kind, metadata}) => kind === 'Service' && metadata.name === 'voicebridge-worker');
  assert.equal(service.spec.clusterIP, 'None');
  assert.equal(service.spec.publishNotReadyAddresses, true);
});

test('secrets are files: no environment, and no object that holds one', () => {
  for (const pod of deploymentsOf('base').map(podOf)) {
    for (const container of containersOf(pod)) {
      assert.equal(container.env, undefined);
      assert.ok(!container.args.some((arg) => /^--store=/.test(arg)), container.name);
    }
  }
  assert.ok(!objectsOf('base').some(({kind}) => kind === 'Secret'));
});
