// Makes unary calls of any service: reads one JSON object a line, and writes what came of it.
// usage: node node_client.cjs FOLDER     FOLDER: where @grpc/grpc-js is installed
const { createRequire } = require("node:module");
const path = require("node:path");
const readline = require("node:readline");

const grpc = createRequire(path.join(process.argv[2], "package.json"))("@grpc/grpc-js");
const clients = new Map();
const asIs = (bytes) => bytes;

function clientOf(address) {
  if (!clients.has(address)) {
    clients.set(address, new grpc.Client(address, grpc.credentials.createInsecure()));
  }
  return clients.get(address);
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { address, method, request } = JSON.parse(line);
  const bytes = Buffer.from(request, "base64");
  clientOf(address).makeUnaryRequest(method, asIs, asIs, bytes, (error, response) => {
    const details = error?.metadata?.get("grpc-status-details-bin")[0];
    const told = { code: error?.code ?? 0, message: error?.details ?? "" };
    const base64 = (data) => data?.toString("base64") ?? "";
    console.log(JSON.stringify({ ...told, details: base64(details), response: base64(response) }));
  });
});
