// Lists the tools of a broker, calls one, holds a conversation, and cancels a call.
// usage: node client.js FOLDER_OF_PROTOS ADDRESS
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const [folder, address] = process.argv.slice(2);
const options = { includeDirs: [folder], keepCase: true, defaults: true, oneofs: true };
const definition = protoLoader.loadSync("broker/v1/broker.proto", options);
const { BrokerService } = grpc.loadPackageDefinition(definition).broker.v1;
const broker = new BrokerService(address, grpc.credentials.createInsecure());

const unary = (method, request) =>
  new Promise((resolve, reject) => {
    broker[method](request, (error, response) => (error ? reject(error) : resolve(response)));
  });

const { tools } = await unary("ListTools", { profile: "openai" });
console.log(JSON.stringify({ tools: tools.map((tool) => JSON.parse(tool.definition).function.name) }));

const call = { id: "call_1", name: "probe_v1_ProbeService_Echo", arguments: JSON.stringify({ text: "北京" }) };
const { result } = await unary("CallTool", { call });
console.log(JSON.stringify({ text: JSON.parse(result.content).text, is_error: result.is_error }));

const user = { role: "user", content: [{ text: 'Echo the text "good morning"' }] };
const events = [];
for await (const response of broker.Chat({ messages: { messages: [user] } })) events.push(response);
console.log(JSON.stringify({ events: events.map((response) => response.event), stop_reason: events.at(-1).done.stop_reason }));

// The call waits for ever; the test's server says when it has arrived, and when it was cancelled.
const waiting = { id: "call_2", name: "probe_v1_ProbeService_Wait", arguments: JSON.stringify({ text: "a" }) };
const cancelled = new Promise((resolve) => {
  const running = broker.CallTool({ call: waiting }, (error) => resolve(error?.code));
  process.stdin.once("data", () => running.cancel());
});
console.log(JSON.stringify({ code: await cancelled }));
broker.close();
process.stdin.destroy();
