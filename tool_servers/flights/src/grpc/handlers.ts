/** A service of protobuf-es, and a function for each of its methods → what grpc-js serves. */

import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type * as grpc from "@grpc/grpc-js";
import { endingOf } from "./status.js";

/** A function for each method: a request → what the response is made of; it throws a Failure where there is none. */
export type Handlers<Service extends DescService> = {
  [Name in keyof Service["method"]]: (
    request: MessageShape<Service["method"][Name]["input"]>,
  ) => MessageInitShape<Service["method"][Name]["output"]>;
};

/** Adds a service of unary methods to a server; each answers after so many seconds, to see calls overlap. */
export function addService<Service extends DescService>(
  server: grpc.Server,
  service: Service,
  handlers: Handlers<Service>,
  delaySeconds: number,
): void {
  const definitions: Record<string, grpc.MethodDefinition<unknown, unknown>> = {};
  const implementations: grpc.UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler = handlers[method.localName as keyof Handlers<Service>] as Handler;
    definitions[method.localName] = definition(method, pathOf(method));
    implementations[method.localName] = answering(method, handler, delaySeconds * 1000);
  }
  server.addService(definitions, implementations);
}

/** The path of a method: "/flights.v1.FlightService/GetBooking". */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** What grpc-js must know of a method that is served under a path. */
export function definition(method: DescMethod, path: string): grpc.MethodDefinition<unknown, unknown> {
  const { input, output, methodKind } = method;
  return {
    path,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: serializer(input),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: serializer(output),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

type Handler = (request: unknown) => MessageInitShape<DescMessage>;

function serializer(schema: DescMessage): (message: unknown) => Buffer {
  return (message) => Buffer.from(toBinary(schema, message as MessageShape<DescMessage>));
}

function answering(
  method: DescMethod,
  handler: Handler,
  delay: number,
): grpc.handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    const answer = (): void => {
      try {
        callback(null, create(method.output, handler(call.request)));
      } catch (error) {
        callback(endingOf(method, error));
      }
    };
    if (delay === 0) return answer();
    const timer = setTimeout(answer, delay);
    // Nobody waits any more: nothing must be booked for them.
    call.on("cancelled", () => clearTimeout(timer));
  };
}
