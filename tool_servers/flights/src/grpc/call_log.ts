/** A line in the log for each call, and the calls that never end by themselves. */

import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { log } from "./log.js";

/** Watches the calls of a server. */
export class CallLog {
  /** Of the services beside ours: somebody who watches our health does so until told to stop. */
  readonly #others = new Set<ServerInterceptingCallInterface>();

  /** Logs the calls of the service whose paths begin like this; keeps track of all others. */
  constructor(private readonly prefix: string) {}

  readonly interceptor: ServerInterceptor = ({ path }, call) =>
    path.startsWith(this.prefix) ? this.#logged(path.slice(this.prefix.length), call) : this.#tracked(call);

  /** Ends the calls that are not of our service. */
  endOthers(): void {
    for (const call of [...this.#others]) {
      call.sendStatus({ code: status.UNAVAILABLE, details: "the flight service is stopping" });
    }
  }

  #logged(method: string, call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const started = performance.now();
    const end = once((code: status) => {
      const milliseconds = (performance.now() - started).toFixed(1);
      log(`method=${method} code=${status[code]} ms=${milliseconds}`);
    });
    return intercepted(
      call,
      (sent) => end(sent.code),
      // Of a call that grpc-js itself ends, as when its deadline passes, it tells no more than that it is over.
      () => end(Number(call.getDeadline()) <= Date.now() ? status.DEADLINE_EXCEEDED : status.CANCELLED),
    );
  }

  #tracked(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    this.#others.add(call);
    const forget = (): void => void this.#others.delete(call);
    return intercepted(call, forget, forget);
  }
}

function intercepted(
  call: ServerInterceptingCallInterface,
  onStatus: (sent: { code: status }) => void,
  onCancel: () => void,
): ServerInterceptingCall {
  return new ServerInterceptingCall(call, {
    start: (next) => next({ onCancel }),
    sendStatus: (sent, next) => {
      onStatus(sent);
      next(sent);
    },
  });
}

function once<T>(act: (value: T) => void): (value: T) => void {
  let done = false;
  return (value) => {
    if (done) return;
    done = true;
    act(value);
  };
}
