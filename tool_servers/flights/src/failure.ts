/** Why a call cannot be answered, in words that a language model can act on. */

/** What is wrong with one field of a request, and what to send instead. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** The kinds of failure; each has one gRPC status code. */
export type Failing =
  | { readonly kind: "invalid"; readonly violations: readonly FieldViolation[] }
  | { readonly kind: "not found"; readonly resource: string; readonly name: string }
  | { readonly kind: "precondition"; readonly subject: string }
  | { readonly kind: "exhausted"; readonly retrySeconds: number };

/** A call that cannot be answered; the client is told all of it. */
export class Failure extends Error {
  constructor(
    readonly failing: Failing,
    /** In capitals, for programs: SOLD_OUT. */
    readonly reason: string,
    message: string,
    /** What to do about it; part of the message. */
    readonly cure: string,
    /** Facts, for programs. */
    readonly facts: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** The request is wrong in these fields. */
export function invalid(...violations: FieldViolation[]): Failure {
  const message = violations.map((each) => `${each.field}: ${each.description}`).join("; ");
  return new Failure({ kind: "invalid", violations }, "INVALID_REQUEST", message, "");
}

/** There is no such thing. */
export function notFound(resource: string, name: string, cure: string): Failure {
  const reason = `${resource.toUpperCase()}_NOT_FOUND`;
  const message = `there is no ${resource} ${quoted(name)}: ${cure}`;
  return new Failure({ kind: "not found", resource, name }, reason, message, cure);
}

/** The thing is not in the state that the call needs. */
export function precondition(
  reason: string,
  subject: string,
  fact: string,
  cure: string,
  facts: Record<string, string> = {},
): Failure {
  return new Failure({ kind: "precondition", subject }, reason, `${fact}: ${cure}`, cure, facts);
}

/** The service has no room for more. */
export function exhausted(reason: string, fact: string, cure: string, retrySeconds: number): Failure {
  return new Failure({ kind: "exhausted", retrySeconds }, reason, `${fact}: ${cure}`, cure);
}

const MAX_QUOTED = 80;

/** A text in quotes, shortened where it is long. */
export function quoted(text: string): string {
  const letters = [...text];
  const short = letters.length > MAX_QUOTED ? `${letters.slice(0, MAX_QUOTED).join("")}…` : text;
  return JSON.stringify(short);
}
