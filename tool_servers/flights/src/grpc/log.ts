/** The log: lines on stderr. */

/** Writes a line, with the time before it. */
export function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} flights: ${line}\n`);
}
