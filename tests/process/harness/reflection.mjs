// The standard gRPC reflection service, as a generic client asks it what a server offers.
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {patience} from './process.mjs';
import {within} from './wait.mjs';

const kReflection = {
  nested: {grpc: {nested: {reflection: {nested: {v1alpha: {nested: {
    ServerReflectionRequest: {
      oneofs: {message_request: {oneof: ['file_containing_symbol', 'list_services']}},
      fields: {file_containing_symbol: {type: 'string', id: 4}, list_services: {type: 'string', id: 7}},
    },
    ServiceResponse: {fields: {name: {type: 'string', id: 1}}},
    ListServiceResponse: {fields: {service: {rule: 'repeated', type: 'ServiceResponse', id: 1}}},
    FileDescriptorResponse: {fields: {file_descriptor_proto: {rule: 'repeated', type: 'bytes', id: 1}}},
    ServerReflectionResponse: {
      oneofs: {message_response: {oneof: ['file_descriptor_response', 'list_services_response']}},
      fields: {
        file_descriptor_response: {type: 'FileDescriptorResponse', id: 4},
        list_services_response: {type: 'ListServiceResponse', id: 6},
      },
    },
    ServerReflection: {methods: {
      ServerReflectionInfo: {
        requestType: 'ServerReflectionRequest', requestStream: true, responseType: 'ServerReflectionResponse', responseStream: true,
      },
    }},
  }}}}}}},
};

async function ask(address, request) {
  const {ServerReflection} = grpc.loadPackageDefinition(protoLoader.fromJSON(kReflection, {keepCase: true})).grpc.reflection.v1alpha;
  const client = new ServerReflection(address, grpc.credentials.createInsecure());
  const call = client.serverReflectionInfo();
  const answer = new Promise((resolve, reject) => {
    call.on('data', resolve);
    call.on('error', reject);
  });
  call.write(request);
  try {
    return await within(answer, 5000 * patience, `the reflection of ${address}`);
  } finally {
    call.removeAllListeners('error').on('error', () => {});  // Of the cancel.
    call.cancel();
    client.close();
  }
}

// Names of the services at an address.
export async function servicesAt(address) {
  const {list_services_response: {service}} = await ask(address, {list_services: '*'});
  return service.map(({name}) => name).sort();
}

// The serialised FileDescriptorProtos of the file that declares a symbol, and of those that it needs.
export async function filesOf(address, symbol) {
  return (await ask(address, {file_containing_symbol: symbol})).file_descriptor_response.file_descriptor_proto;
}
