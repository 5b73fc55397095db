"""make_arrays.py FOLDER: the arrays of the tests, as NumPy would write them."""
import struct
import sys
import zipfile


def npy(values, shape):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(values)}f", *values)


folder = sys.argv[1]
with open(f"{folder}/three.npy", "wb") as f:
    f.write(npy([3], "()"))
with open(f"{folder}/rows.npy", "wb") as f:
    f.write(npy([1, 2, 3, 4, 5, 6], "(3, 2)"))
for name, way in ("all", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(f"{folder}/{name}.npz", "w", way) as z:
        for member, data in ("table", npy([1, 2, 3, 4, 5, 6], "(3, 2)")), ("layer/w:0", npy([2], "(1,)")):
            with z.open(member + ".npy", "w", force_zip64=True) as m:
                m.write(data)
