/** A failure → the status of the call, with details of google.rpc that a program can read. */

import { randomUUID } from "node:crypto";
import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, status } from "@grpc/grpc-js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { Failure, type FieldViolation } from "../failure.js";
import { log } from "./log.js";

const DOMAIN = "flights.v1.FlightService";

const CODES = {
  invalid: status.INVALID_ARGUMENT,
  "not found": status.NOT_FOUND,
  precondition: status.FAILED_PRECONDITION,
  exhausted: status.RESOURCE_EXHAUSTED,
} as const;

// Clients take some 8 KB of metadata. Half of it is for the details, a quarter for the message.
const MAX_VIOLATION_BYTES = 3000;
const MAX_MESSAGE_BYTES = 2000;

/** How a call ends. */
export interface Ending {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** What a client is told of an error. Of one that is a bug: an id under which the log has it. */
export function endingOf(method: DescMethod, error: unknown): Ending {
  if (error instanceof Failure) return endingOfFailure(error);
  const incident = randomUUID().slice(0, 8);
  log(`method=${method.name} incident=${incident} ${error instanceof Error ? error.stack : String(error)}`);
  const details = `the flight service failed; its log has the cause under incident ${incident}`;
  return ending(status.INTERNAL, details, [errorInfo("UNEXPECTED", { incident })]);
}

function endingOfFailure(failure: Failure): Ending {
  const packed = [errorInfo(failure.reason, failure.facts), ...specificDetails(failure)];
  return ending(CODES[failure.failing.kind], shortened(failure.message), packed);
}

function ending(code: status, details: string, packed: Any[]): Ending {
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message: details, details: packed }));
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  return { code, details, metadata };
}

function errorInfo(reason: string, metadata: Readonly<Record<string, string>>): Any {
  return anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: DOMAIN, metadata }));
}

function specificDetails({ failing, reason, cure: description }: Failure): Any[] {
  switch (failing.kind) {
    case "invalid": {
      const fieldViolations = fitting(failing.violations);
      return [anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations }))];
    }
    case "not found": {
      const { resource: resourceType, name: resourceName } = failing;
      const info = create(ResourceInfoSchema, { resourceType, resourceName, description });
      return [anyPack(ResourceInfoSchema, info)];
    }
    case "precondition": {
      const violations = [{ type: reason, subject: failing.subject, description }];
      return [anyPack(PreconditionFailureSchema, create(PreconditionFailureSchema, { violations }))];
    }
    case "exhausted": {
      const retryDelay = { seconds: BigInt(failing.retrySeconds), nanos: 0 };
      return [anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay }))];
    }
  }
}

/** The first violations, and one that counts those that find no room. */
function fitting(violations: readonly FieldViolation[]): FieldViolation[] {
  let bytes = 0;
  const fit = violations.filter(({ field, description }) => {
    bytes += Buffer.byteLength(field) + Buffer.byteLength(description);
    return bytes <= MAX_VIOLATION_BYTES;
  });
  const more = violations.length - fit.length;
  return more === 0 ? fit : [...fit, { field: "", description: `and ${more} more like these` }];
}

/** As much of a message as fits, in the encoding that HTTP/2 asks for. */
function shortened(message: string): string {
  let bytes = 0;
  let text = "";
  // An unpaired surrogate cannot be encoded.
  for (const letter of message.toWellFormed()) {
    bytes += encodeURI(letter).length;
    if (bytes > MAX_MESSAGE_BYTES) return `${text}…`;
    text += letter;
  }
  return text;
}
