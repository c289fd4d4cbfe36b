package hotels;

import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import hotels.v1.HotelsProto;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import java.io.IOException;

/**
 * The service with the comments of its .proto, which generated code leaves out: reflection tells
 * them.
 */
final class Described {
  private Described() {}

  /** The same service, described by the .proto as it is written. */
  static ServerServiceDefinition service(ServerServiceDefinition service) {
    FileDescriptor file = file();
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(service.getServiceDescriptor().getName())
            .setSchemaDescriptor((ProtoFileDescriptorSupplier) () -> file);
    service.getMethods().forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder described = ServerServiceDefinition.builder(descriptor.build());
    service.getMethods().forEach(described::addMethod);
    return described.build();
  }

  /** Reads hotels.binpb, which protoc wrote beside the classes. */
  private static FileDescriptor file() {
    FileDescriptor plain = HotelsProto.getDescriptor();
    try (var data = Described.class.getResourceAsStream("hotels.binpb")) {
      return FileDescriptor.buildFrom(
          FileDescriptorSet.parseFrom(data).getFileList().stream()
              .filter(each -> each.getName().equals(plain.getName()))
              .findFirst()
              .orElseThrow(),
          plain.getDependencies().toArray(FileDescriptor[]::new));
    } catch (IOException | DescriptorValidationException error) {
      throw new IllegalStateException("hotels.binpb is not what protoc writes", error);
    }
  }
}
