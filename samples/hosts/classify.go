// Classifies images with a frozen network, from Go through cgo.
//
//	CGO_CFLAGS="-I PREFIX/include" CGO_LDFLAGS="-L PREFIX/lib -l:libtensorflow.so.2" go build classify.go
//	./classify ../data/digits_cnn.pb ../data/digits_images.npy ../data/digits_labels.npy
package main

/*
#include <stdlib.h>

#include "millrace/runtime/c_api/c_api.h"
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"unsafe"
)

// The outcome of the last call as Go's error.
func check(status *C.TF_Status) error {
	if C.TF_GetCode(status) == C.TF_OK {
		return nil
	}
	return errors.New(C.GoString(C.TF_Message(status)))
}

// The dims and the bytes of the elements of a version 1 .npy file.
func readNpy(path string) ([]C.int64_t, []byte, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	if len(file) < 10 || !bytes.HasPrefix(file, []byte("\x93NUMPY\x01")) {
		return nil, nil, errors.New(path + " is no .npy file of version 1")
	}
	start := 10 + int(binary.LittleEndian.Uint16(file[8:]))
	if start > len(file) {
		return nil, nil, errors.New(path + " is shorter than its header")
	}
	shape := regexp.MustCompile(`'shape': \(([^)]*)\)`).FindSubmatch(file[:start])
	if shape == nil {
		return nil, nil, errors.New(path + " has no shape")
	}
	var dims []C.int64_t
	for _, text := range regexp.MustCompile(`\d+`).FindAllString(string(shape[1]), -1) {
		extent, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, nil, err
		}
		dims = append(dims, C.int64_t(extent))
	}
	return dims, file[start:], nil
}

// A tensor with a copy of the array: memory of Go's may move.
func newTensor(dtype C.TF_DataType, dims []C.int64_t, elements []byte) (*C.TF_Tensor, error) {
	tensor := C.TF_AllocateTensor(dtype, &dims[0], C.int(len(dims)), C.size_t(len(elements)))
	if tensor == nil {
		return nil, errors.New("the array's bytes do not fit its shape")
	}
	copy(unsafe.Slice((*byte)(C.TF_TensorData(tensor)), len(elements)), elements)
	return tensor, nil
}

func output(graph *C.TF_Graph, name string) (C.TF_Output, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	oper := C.TF_GraphOperationByName(graph, text)
	if oper == nil {
		return C.TF_Output{}, errors.New(name + " is no node of the graph")
	}
	return C.TF_Output{oper: oper, index: 0}, nil
}

func classify(graphPath, imagesPath, labelsPath string) error {
	status := C.TF_NewStatus()
	defer C.TF_DeleteStatus(status)
	def, err := os.ReadFile(graphPath)
	if err != nil {
		return err
	}
	buffer := C.TF_NewBufferFromString(unsafe.Pointer(&def[0]), C.size_t(len(def)))
	defer C.TF_DeleteBuffer(buffer)
	graph := C.TF_NewGraph()
	defer C.TF_DeleteGraph(graph)
	C.TF_GraphImportGraphDef(graph, buffer, nil, status)
	if err := check(status); err != nil {
		return err
	}
	session := C.TF_NewSession(graph, nil, status)
	if err := check(status); err != nil {
		return err
	}
	defer C.TF_DeleteSession(session, status)

	dims, elements, err := readNpy(imagesPath)
	if err != nil {
		return err
	}
	images, err := newTensor(C.TF_FLOAT, dims, elements)
	if err != nil {
		return err
	}
	defer C.TF_DeleteTensor(images)
	_, labels, err := readNpy(labelsPath)
	if err != nil {
		return err
	}

	feed, err := output(graph, "images")
	if err != nil {
		return err
	}
	fetches := make([]C.TF_Output, 2)
	for i, name := range []string{"digit", "probabilities"} {
		if fetches[i], err = output(graph, name); err != nil {
			return err
		}
	}
	results := make([]*C.TF_Tensor, 2)
	C.TF_SessionRun(session, nil, &feed, &images, 1, &fetches[0], &results[0], 2, nil, 0, nil, status)
	if err := check(status); err != nil {
		return err
	}
	defer C.TF_DeleteTensor(results[0])
	defer C.TF_DeleteTensor(results[1])

	count := int(C.TF_TensorElementCount(results[0]))
	if len(labels) != 8*count {
		return fmt.Errorf("expected %d labels, found %d bytes", count, len(labels))
	}
	digits := unsafe.Slice((*int64)(C.TF_TensorData(results[0])), count)
	probabilities := unsafe.Slice((*float32)(C.TF_TensorData(results[1])), 10*count)
	right := 0
	for i, digit := range digits {
		if digit == int64(binary.LittleEndian.Uint64(labels[8*i:])) {
			right++
		}
	}
	fmt.Printf("%d of %d images right; the first is a %d with probability %.3f\n",
		right, count, digits[0], probabilities[digits[0]])
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: classify GRAPH IMAGES.npy LABELS.npy")
		os.Exit(2)
	}
	if err := classify(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "classify:", err)
		os.Exit(1)
	}
}
