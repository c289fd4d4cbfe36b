/**
 * Server reflection, v1 and v1alpha: the same messages under two names.
 *
 * The files are those that protoc wrote: with all their options, so that clients see the rules of requests and
 * which methods have no side effects, and with their comments, which say what everything is for.
 */

import { readFileSync } from "node:fs";
import {
  create,
  createFileRegistry,
  type DescFile,
  type FileRegistry,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type Server, type ServerDuplexStream, status } from "@grpc/grpc-js";
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { definition, pathOf } from "./handlers.js";

// Seen from build/src/grpc/, where this runs.
const FILES = new URL("../../../gen/services.binpb", import.meta.url);

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;
type Stream = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

/** Adds reflection to a server: it tells of all services in gen/services.binpb. */
export function addReflection(server: Server): void {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(FILES));
  const files = new Files(createFileRegistry(set));
  const method = ServerReflection.method.serverReflectionInfo;
  const serve = (stream: Stream): void => {
    stream.on("data", (request: ServerReflectionRequest) => {
      const messageResponse = files.answer(request);
      const { host: validHost } = request;
      stream.write(
        create(ServerReflectionResponseSchema, { validHost, originalRequest: request, messageResponse }),
      );
    });
    stream.on("end", () => stream.end());
  };
  for (const version of ["v1", "v1alpha"]) {
    const path = pathOf(method).replace(".v1.", `.${version}.`);
    server.addService({ serverReflectionInfo: definition(method, path) }, { serverReflectionInfo: serve });
  }
}

/** Answers what reflection asks about a set of files. */
class Files {
  constructor(private readonly registry: FileRegistry) {}

  answer({ messageRequest: asked }: ServerReflectionRequest): Answer {
    switch (asked.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: this.#services() } };
      case "fileByFilename":
        return this.#withImports(this.registry.getFile(asked.value), asked.value);
      case "fileContainingSymbol":
        return this.#withImports(this.#fileOf(asked.value), asked.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = asked.value;
        return this.#withImports(
          this.#extensions(containingType).get(extensionNumber),
          `${containingType} ${extensionNumber}`,
        );
      }
      case "allExtensionNumbersOfType": {
        const extensionNumber = [...this.#extensions(asked.value).keys()];
        return {
          case: "allExtensionNumbersResponse",
          value: { baseTypeName: asked.value, extensionNumber },
        };
      }
      default:
        return failed(status.UNIMPLEMENTED, "the request asks nothing that is known here");
    }
  }

  #services(): Array<{ name: string }> {
    return [...this.registry]
      .filter((each) => each.kind === "service")
      .map(({ typeName }) => ({ name: typeName }));
  }

  /** The file that declares a type or a service, or a part of one: a field, a method, an enum's value. */
  #fileOf(symbol: string): DescFile | undefined {
    const whole = symbol.replace(/\.[^.]*$/, "");
    return (this.registry.get(symbol) ?? this.registry.get(whole))?.file;
  }

  #extensions(typeName: string): Map<number, DescFile> {
    const found = new Map<number, DescFile>();
    for (const each of this.registry) {
      if (each.kind === "extension" && each.extendee.typeName === typeName) found.set(each.number, each.file);
    }
    return found;
  }

  #withImports(file: DescFile | undefined, asked: string): Answer {
    if (file === undefined) return failed(status.NOT_FOUND, `there is no ${asked} here`);
    const files = new Set([file]);
    // A set yields what is added while it is read.
    for (const each of files) for (const imported of each.dependencies) files.add(imported);
    const fileDescriptorProto = [...files].map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
  }
}

function failed(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
