/** Refuses requests that break the rules of their .proto, before any handler sees them. */

import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageShape,
} from "@bufbuild/protobuf";
import { pathToString, reflect } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { type FieldViolation, invalid, quoted } from "../failure.js";
import { pathOf } from "./handlers.js";
import { type Ending, endingOf } from "./status.js";

/** What to send, for each field of the requests. */
export type Cures = Readonly<Record<string, string>>;

const validator = createValidator();

/** An interceptor that checks the requests of a service; `cures` are told with the violations. */
export function validating(service: DescService, cures: Cures): ServerInterceptor {
  // Rules are compiled at their first use: here, so that no call waits for it, and a wrong rule stops the start.
  for (const { input } of service.methods) {
    const { kind, error } = validator.validate(input, create(input));
    if (kind === "error") throw error;
  }
  const methods = new Map(service.methods.map((method) => [pathOf(method), method]));
  return ({ path }, call) => {
    const method = methods.get(path);
    if (method === undefined) return new ServerInterceptingCall(call);
    let refused = false;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMessage: (message, pass) => {
            const refusal = refusalOf(method, message, cures);
            refused = refusal !== undefined;
            if (refusal === undefined) pass(message);
            else call.sendStatus(refusal);
          },
          // The handler would take it for a call without a request.
          onReceiveHalfClose: (pass) => {
            if (!refused) pass();
          },
        }),
    });
  };
}

function refusalOf(method: DescMethod, message: MessageShape<DescMessage>, cures: Cures): Ending | undefined {
  const result = validator.validate(method.input, message);
  if (result.kind === "valid") return undefined;
  if (result.kind === "error") return endingOf(method, result.error);
  const violations = result.violations.map((violation) => told(method.input, message, violation, cures));
  return endingOf(method, invalid(...violations));
}

/** What is wrong, what was sent, and what to send instead. */
function told(
  schema: DescMessage,
  message: MessageShape<DescMessage>,
  violation: Violation,
  cures: Cures,
): FieldViolation {
  const field = pathToString(violation.field);
  const sent = sentValue(schema, message, violation);
  // The pattern is for programs.
  const problem = violation.ruleId === "string.pattern" ? "does not have the right form" : violation.message;
  const fact = `${problem}${sent === undefined ? "" : `, it is ${sent}`}`;
  const cure = cures[field.replace(/\[.*$/, "")];
  return { field, description: cure === undefined ? fact : `${fact}: ${cure}` };
}

/** The value that breaks a rule, where it is a short one. */
function sentValue(
  schema: DescMessage,
  message: MessageShape<DescMessage>,
  violation: Violation,
): string | undefined {
  const [field, element] = violation.field;
  if (field?.kind !== "field") return undefined;
  const whole: unknown = reflect(schema, message).get(field);
  const isElement = field.fieldKind === "list" && element?.kind === "list_sub";
  const value = isElement ? (whole as { get(index: number): unknown }).get(element.index) : whole;
  if (typeof value === "string") return quoted(value);
  return typeof value === "number" ? String(value) : undefined;
}
