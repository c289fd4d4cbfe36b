package server

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// described are files of their own, and for all others those of the stubs.
type described struct {
	own *protoregistry.Files
}

// describedFiles reads a FileDescriptorSet; there may be none.
func describedFiles(data []byte) (described, error) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil {
		return described{}, fmt.Errorf("the descriptors of stocks.proto cannot be read: %w", err)
	}
	files, err := protodesc.NewFiles(set)
	return described{files}, err
}

func (d described) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if file, err := d.own.FindFileByPath(path); err == nil {
		return file, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

func (d described) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if found, err := d.own.FindDescriptorByName(name); err == nil {
		return found, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}
