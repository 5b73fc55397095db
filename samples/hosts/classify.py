"""Classifies images with a frozen network, from Python with ctypes alone: numpy
arrays go in without a copy, numpy arrays come out.

    python classify.py PREFIX/lib/libtensorflow.so.2 ../data/digits_cnn.pb \\
        ../data/digits_images.npy ../data/digits_labels.npy
"""
import ctypes
import sys

import numpy as np

DTYPES = {np.dtype(name): number for name, number in
          [("float32", 1), ("float64", 2), ("int32", 3), ("uint8", 4), ("int64", 9), ("bool", 10)]}
POINTER = ctypes.c_void_p
DEALLOCATOR = ctypes.CFUNCTYPE(None, POINTER, ctypes.c_size_t, POINTER)
KEEP = DEALLOCATOR(lambda data, length, arg: None)  # the array stays numpy's


class Output(ctypes.Structure):
    _fields_ = [("oper", POINTER), ("index", ctypes.c_int)]


class TensorFlow:
    """The few calls that this program needs; errors become exceptions."""

    SIGNATURES = {
        "TF_NewStatus": (POINTER, []),
        "TF_GetCode": (ctypes.c_int, [POINTER]),
        "TF_Message": (ctypes.c_char_p, [POINTER]),
        "TF_NewBufferFromString": (POINTER, [ctypes.c_char_p, ctypes.c_size_t]),
        "TF_DeleteBuffer": (None, [POINTER]),
        "TF_NewGraph": (POINTER, []),
        "TF_GraphImportGraphDef": (None, [POINTER] * 4),
        "TF_GraphOperationByName": (POINTER, [POINTER, ctypes.c_char_p]),
        "TF_NewSession": (POINTER, [POINTER] * 3),
        "TF_DeleteSession": (None, [POINTER] * 2),
        "TF_DeleteGraph": (None, [POINTER]),
        "TF_DeleteStatus": (None, [POINTER]),
        "TF_NewTensor": (POINTER, [ctypes.c_int, POINTER, ctypes.c_int, POINTER, ctypes.c_size_t, DEALLOCATOR, POINTER]),
        "TF_TensorType": (ctypes.c_int, [POINTER]),
        "TF_NumDims": (ctypes.c_int, [POINTER]),
        "TF_Dim": (ctypes.c_int64, [POINTER, ctypes.c_int]),
        "TF_TensorData": (POINTER, [POINTER]),
        "TF_TensorByteSize": (ctypes.c_size_t, [POINTER]),
        "TF_DeleteTensor": (None, [POINTER]),
        "TF_SessionRun": (None, [POINTER, POINTER, POINTER, POINTER, ctypes.c_int, POINTER, POINTER, ctypes.c_int,
                                 POINTER, ctypes.c_int, POINTER, POINTER]),
    }

    def __init__(self, library):
        self.c = ctypes.CDLL(library)
        for name, (result, arguments) in self.SIGNATURES.items():
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments
        self.status = self.c.TF_NewStatus()

    def check(self):
        if self.c.TF_GetCode(self.status) != 0:
            raise RuntimeError(self.c.TF_Message(self.status).decode())

    def tensor(self, array):
        """A tensor over the array's memory; the array outlives it."""
        dims = (ctypes.c_int64 * array.ndim)(*array.shape)
        return self.c.TF_NewTensor(DTYPES[array.dtype], dims, array.ndim, array.ctypes.data, array.nbytes, KEEP, None)

    def array(self, tensor):
        """A copy of the tensor's elements."""
        number = self.c.TF_TensorType(tensor)
        dtype = next(dtype for dtype, n in DTYPES.items() if n == number)
        shape = [self.c.TF_Dim(tensor, i) for i in range(self.c.TF_NumDims(tensor))]
        data = ctypes.string_at(self.c.TF_TensorData(tensor), self.c.TF_TensorByteSize(tensor))
        return np.frombuffer(data, dtype).reshape(shape)


class Session:
    """A graph from a file, and a session on it."""

    def __init__(self, tf, path):
        self.tf, c = tf, tf.c
        with open(path, "rb") as file:
            graph_def = file.read()
        self.graph = c.TF_NewGraph()
        buffer = c.TF_NewBufferFromString(graph_def, len(graph_def))
        c.TF_GraphImportGraphDef(self.graph, buffer, None, tf.status)
        c.TF_DeleteBuffer(buffer)
        tf.check()
        self.session = c.TF_NewSession(self.graph, None, tf.status)
        tf.check()

    def close(self):
        self.tf.c.TF_DeleteSession(self.session, self.tf.status)
        self.tf.c.TF_DeleteGraph(self.graph)

    def output(self, name):
        oper = self.tf.c.TF_GraphOperationByName(self.graph, name.encode())
        if oper is None:
            raise KeyError(name + " is no node of the graph")
        return Output(oper, 0)

    def run(self, fetches, feeds):
        c = self.tf.c
        arrays = [np.ascontiguousarray(array) for array in feeds.values()]
        tensors = (POINTER * len(arrays))(*[self.tf.tensor(array) for array in arrays])
        inputs = (Output * len(arrays))(*[self.output(name) for name in feeds])
        outputs = (Output * len(fetches))(*[self.output(name) for name in fetches])
        results = (POINTER * len(fetches))()
        c.TF_SessionRun(self.session, None, inputs, tensors, len(arrays), outputs, results, len(fetches), None, 0, None,
                        self.tf.status)
        for tensor in tensors:
            c.TF_DeleteTensor(tensor)
        self.tf.check()
        found = [self.tf.array(result) for result in results]
        for result in results:
            c.TF_DeleteTensor(result)
        return found


def main(library, graph, images, labels):
    session = Session(TensorFlow(library), graph)
    digits, probabilities = session.run(["digit", "probabilities"], {"images": np.load(images)})
    right = int((digits == np.load(labels)).sum())
    print("%d of %d images right; the first is a %d with probability %.3f" %
          (right, len(digits), digits[0], probabilities[0, digits[0]]))
    try:
        session.run(["digit"], {"images": np.zeros([1, 3, 3, 1], np.float32)})
    except RuntimeError as error:
        print("images of another size:", error)
    session.close()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: classify.py LIBRARY GRAPH IMAGES.npy LABELS.npy")
    main(*sys.argv[1:])
