"""Writes src/data/goldens/numpy-files.json: small .npy and .npz files made by NumPy, and what they hold.

Run from the project's root: python tools/goldens/numpy-files.py
"""

import base64
import io
import json
import pathlib

import numpy as np


def saved(save, *args, **kwargs):
    buffer = io.BytesIO()
    save(buffer, *args, **kwargs)
    return base64.b64encode(buffer.getvalue()).decode()


def values(array):
    if array.dtype.kind == "c":
        return [part for z in array.ravel() for part in (float(z.real), float(z.imag))]
    return [float(x) for x in array.ravel()]


base = np.arange(24).reshape(2, 3, 4)
arrays = {descr: base.astype(descr) for descr in "<f4 >f4 <f8 >f8 <i8 >i8 <i4 >i4 <i2 >u2 |u1 |i1 <u4 >u8 |b1 <f2 >c8 <c16".split()}
arrays["<f4 in Fortran order"] = np.asfortranarray(base.astype("<f4"))
arrays[">c8 in Fortran order"] = np.asfortranarray(base.astype(">c8") * (1 + 2j))
arrays["rank 0"] = np.array(2.5)
arrays["no rows"] = np.zeros((0, 3), "<f4")
arrays["one dimension"] = np.array([1.5, -2.5])

cases = [
    {"name": name, "dtype": a.dtype.name, "shape": list(a.shape), "values": values(a), "npy": saved(np.save, a)}
    for name, a in arrays.items()
]
image, label = np.arange(6, dtype="<f4").reshape(2, 3), np.array([1, 0])
golden = {
    "versions": {"numpy": np.__version__},
    "npy": cases,
    "text": saved(np.save, np.array(["a", "b"])),
    "npz": {
        "stored": saved(np.savez, image=image, label=label),
        "compressed": saved(np.savez_compressed, image=image, label=label),
    },
}
path = pathlib.Path("src/data/goldens/numpy-files.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
